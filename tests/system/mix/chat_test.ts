import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseServerAddress } from "../../../lib/identity/mod.ts";
import type { Lab } from "../../../lib/lab/mod.ts";
import { sourceLab } from "../../lab/source_lab.ts";
import { CrowdProcess } from "./crowd.ts";
import { Chatter } from "./chatter.ts";

// Raising a network takes seconds, so one is used for everything.

const CROWD = 200;
/** Too long for one onion. */
const LONG = "all of it arrives, and in order; ".repeat(20);

/** Short rounds of one message each, so that this is over soon. */
function flags(name: string): readonly string[] {
  return name === "server" ? ["--mix-round", "800ms", "--mix-slots", "1"] : [];
}

/** Which relay, by its name in the lab, is a mix of the latest chain that somebody was told of. */
function mixIn(lab: Lab, chatter: Chatter): string {
  const { mixes } = chatter.of("chain").at(-1)!;
  const prints = (mixes as { fingerprint: string }[])
    .map(({ fingerprint }) => fingerprint);
  assertEquals(prints.length, 3);
  const relays = [...lab.members.keys()]
    .filter((name) => name.startsWith("relay-"));
  const mix = relays.find((name) => {
    const { fingerprint } = parseServerAddress(lab.address(name));
    return fingerprint?.toHex() === prints[2];
  });
  assert(mix !== undefined, "no relay of this lab is the last mix");
  return mix;
}

/** Rounds in which the two met, and everybody of the crowd took part. */
function together(chatter: Chatter, crowd: CrowdProcess): number {
  return chatter.of("round").filter(({ outcome, round }) =>
    outcome === "exchanged" &&
    crowd.rounds.get(Date.parse(String(round)))?.done === CROWD
  ).length;
}

/** Says something and waits until it is delivered, which it is once, after the states before that. */
async function deliver(
  from: Chatter,
  to: Chatter,
  texts: readonly string[],
): Promise<void> {
  const before = to.shown.length;
  const ids: string[] = [];
  for (const text of texts) ids.push(await from.say(text));
  for (const id of ids) await from.delivered(id);
  assertEquals(to.shown.slice(before), texts);
}

Deno.test("S3.5, S3.6, S3.7, S3.8: two people chat through three mixes in separate processes while 200 simulated clients send cover", async (t) => {
  await using lab = await sourceLab({
    controllers: 1,
    relays: 3,
    interval: 1,
    proxy: false,
    people: ["alice", "bob"],
    mix: 3,
    flags,
  });
  await using crowd = await CrowdProcess.start(lab, CROWD);
  await using bob = await Chatter.start(lab, "bob", "--answer");
  await using alice = await Chatter.start(lab, "alice", "bob");

  await t.step(
    "a call, an answer, texts both ways, in rounds of which nobody of the crowd is missing",
    async () => {
      await alice.waitFor("answered");
      assertEquals(bob.of("ringing").length, 1);
      await Promise.all([
        deliver(alice, bob, ["hello", LONG, "ä €\u{1f600}"]),
        deliver(bob, alice, ["who is it?", LONG.toUpperCase()]),
      ]);
      for (const { id } of alice.of("said")) {
        const states = alice.statesOf(String(id));
        assertEquals(states.at(-1), "delivered");
        assertEquals(new Set(states).size, states.length - resent(states));
        assert(states.includes("in round"));
      }
      await alice.type("/privacy");
      const { text } = await alice.waitFor(
        "note",
        (each) => String(each["text"]).includes("epsilon"),
      );
      assertMatch(
        String(text),
        /rounds with bob: epsilon [\d.]+, delta [\d.e-]+/,
      );
      assertMatch(String(text), /1\. your server .*noise 20/);
      assertMatch(String(text), /3\. relay at 127\.0\.0\.1:\d+ .*the last/);
      const deadline = Date.now() + 90_000;
      while (together(alice, crowd) < 3) {
        assert(Date.now() < deadline, JSON.stringify(crowd.latest));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const { joined, exchange } = crowd.latest;
      assertEquals([joined, exchange.failed], [CROWD, 0]);
      await crowd[Symbol.asyncDispose]();
    },
  );

  await t.step(
    "a mix is killed: rounds fail, that is said, and with another one they go on",
    async () => {
      const from = alice.events.length;
      const mix = mixIn(lab, alice);
      const text = "said while it is killed";
      const id = await alice.say(text);
      await lab.kill(mix);
      await alice.waitFor(
        "note",
        (each) => /round of .* failed at /.test(String(each["text"])),
        from,
      );
      await alice.delivered(id);
      assert(alice.outcomes(from).includes("failed"));
      await lab.restart(mix);
      await deliver(bob, alice, ["and back"]);
      assertEquals(bob.shown.filter((each) => each === text), [text]);
    },
  );

  await t.step(
    "the server is killed: the conversation goes on when it is back",
    async () => {
      const from = bob.events.length;
      await lab.kill("server");
      const id = await bob.say("is anybody there?");
      await bob.waitFor("offline", () => true, from);
      await lab.restart("server");
      await bob.delivered(id);
      await deliver(alice, bob, ["yes"]);
      assertEquals(alice.of("answered").length, 1);
    },
  );

  await t.step("they hang up, and learn what it has cost", async () => {
    await alice.type("/hangup");
    const { reason, undelivered } = await bob.waitFor("ended");
    assertEquals([reason, undelivered], ["left by peer", 0]);
    await alice.waitFor("ended");
    for (const each of [alice, bob]) {
      const { rounds, epsilon, delta } = await each.waitFor("privacy");
      assert(Number(rounds) > 10 && Number(epsilon) > 0 && Number(delta) > 0);
      assertEquals(each.of("fault"), []);
      assertEquals(each.of("text").length, new Set(each.shown).size);
    }
  });

  await t.step(
    "S3.8: who was away finds that somebody has called",
    async () => {
      await bob.quit();
      const from = alice.events.length;
      await alice.type("/call bob");
      const { round } = await alice.waitFor("dialed", () => true, from);
      await using back = await Chatter.start(lab, "bob");
      const { dialedAt } = await back.waitFor("ringing");
      assertEquals(dialedAt, round);
      await back.type("/refuse alice");
      await alice.waitFor("refused", () => true, from);
      await Promise.all([back.quit(), alice.quit()]);
    },
  );
});

/** How often a text that was sent again was told to be in another round. */
function resent(states: readonly string[]): number {
  return states.filter((each) => each === "in round").length - 1;
}
