import { assert, assertEquals } from "@std/assert";
import { TokenFilter } from "../../lib/mix/dialing/filter.ts";
import type { LineEvent } from "../../lib/mix/line/line_event.ts";
import { PrivateLine } from "../../lib/mix/line/private_line.ts";
import { exportDh, exportSigning } from "../../lib/protocol/mod.ts";
import { testKeyring } from "../support/keyrings.ts";
import {
  callSecret,
  callToken,
  pairSecret,
  WAY,
} from "./naive_conversation.ts";
import { exchange, filterOf, KIND } from "./naive_mix.ts";
import { join, random } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import { NaiveTalker } from "./naive_talker.ts";

/** Of the text. */
const ALICE = await testKeyring("alice@test");
/** Of ours. */
const BOB = await testKeyring("bob@test");
/** The last dialing round of a minute. */
const DIALLED = 1_800_000_050_000;
const SECRET = pairSecret(
  { secret: await exportDh(ALICE.dh), id: ALICE.certificate.id },
  { open: BOB.certificate.dhKey, id: BOB.certificate.id },
);

/** The private line of Bob. */
function lineOfBob() {
  const events: LineEvent[] = [];
  let now = DIALLED;
  const line = new PrivateLine({
    keyring: BOB,
    contacts: () => Promise.resolve([ALICE.certificate]),
    now: () => now,
    onEvent: (event) => events.push(event),
  });
  const named = (kind: LineEvent["kind"]) =>
    events.filter((event) => event.kind === kind);
  /** Rounds in which both meet, until it is so. */
  const until = async (talker: NaiveTalker, isSo: () => boolean) => {
    for (let i = 0; i < 20 && !isSo(); i++) {
      now += 2_000;
      const round = { kind: KIND.exchange, start: now };
      await line.settled();
      const [mine] = await line.outgoing(round, 3);
      assert(mine !== undefined, "Bob is not there");
      const theirs = talker.outgoing(now);
      const replies = exchange([
        mine.payload,
        join(theirs.drop, theirs.sealed),
      ]);
      mine.answered(replies[0]!);
      await line.settled();
      await talker.incoming(now, replies[1]!);
    }
    assert(isSo(), "it is not so after 20 rounds");
  };
  const address = ALICE.certificate.address;
  return { line, events, named, until, address };
}

/** Alice's side of a call. */
async function talkerOf(caller: Octets, way: number): Promise<NaiveTalker> {
  return new NaiveTalker({
    secret: callSecret(SECRET, callToken(SECRET, DIALLED, caller)),
    dialled: DIALLED,
    way,
    seed: await exportSigning(ALICE.signing),
    signer: BOB.certificate.signingKey,
  });
}

Deno.test("SPEC.md §13.12: a call of the text rings, and both talk where it leads", async () => {
  const { line, named, until, address } = lineOfBob();
  const token = callToken(SECRET, DIALLED, ALICE.certificate.id);
  const round = { kind: KIND.dialing, start: DIALLED };
  for (const others of [[], [callToken(SECRET, DIALLED, BOB.certificate.id)]]) {
    // Tokens of others, and one's own, are no calls.
    const filter = filterOf([random(32), ...others]);
    await line.heard(round, TokenFilter.parse(filter));
    assertEquals(named("ringing"), []);
  }
  const filter = filterOf([random(32), token, random(32)]);
  await line.heard(round, TokenFilter.parse(filter));
  const call = { address, dialedAt: DIALLED };
  assertEquals(named("ringing"), [{ kind: "ringing", call }]);
  line.accept(address);
  const alice = await talkerOf(ALICE.certificate.id, WAY.fromCaller);
  alice.tell("hello");
  await until(alice, () => named("text").length === 1);
  assertEquals(named("answered").length, 1);
  line.say(address, "good evening");
  await until(alice, () => alice.texts.length === 1);
  assertEquals(alice.texts, ["good evening"]);
  alice.leave(0);
  await until(alice, () => named("ended").length === 1);
  await line.settled();
});

Deno.test("SPEC.md §13.12: a call of ours is found by the text, which answers or refuses it", async () => {
  for (const refuses of [false, true]) {
    const { line, named, until, address } = lineOfBob();
    line.call(ALICE.certificate);
    const round = { kind: KIND.dialing, start: DIALLED };
    const dialled = (await line.dial(round))!;
    assertEquals(dialled.to, ALICE.certificate.id);
    const token = callToken(SECRET, DIALLED, BOB.certificate.id);
    assertEquals(dialled.token, token);
    dialled.done(undefined);
    const alice = await talkerOf(BOB.certificate.id, WAY.toCaller);
    if (refuses) {
      alice.refuse(1);
      await until(alice, () => named("refused").length === 1);
      assertEquals(named("refused"), [
        { kind: "refused", address, reason: "refused" },
      ]);
    } else {
      alice.tell("yes?");
      await until(alice, () => named("text").length === 1);
      line.hangUp(address);
      await until(alice, () => alice.hungUp === 0);
    }
    await line.settled();
  }
});
