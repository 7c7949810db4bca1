import { assert, assertEquals } from "@std/assert";
import {
  calm,
  conversation,
  DIALED,
  meet,
  outcomes,
  PERIOD,
  shown,
  statesOf,
} from "./two_people.ts";

const FIRST = DIALED + 10_000;

Deno.test("S3.8: two people who share a call meet, agree on keys and talk", async () => {
  const { alice, bob } = await conversation();
  const id = alice.conversation.say("hello", 5);
  assertEquals(alice.conversation.undelivered, 1);
  const reply = bob.conversation.say("hi", 6);
  await calm([alice, bob], FIRST, 16);
  assertEquals(shown(bob), ["hello"]);
  assertEquals(shown(alice), ["hi"]);
  for (const [side, own] of [[alice, id], [bob, reply]] as const) {
    assertEquals(statesOf(side, own), [
      "queued",
      "in round",
      "exchanged",
      "delivered",
    ]);
    const kinds = side.events.map(({ kind }) => kind);
    assertEquals(kinds.filter((kind) => kind === "met").length, 1);
    assert(kinds.indexOf("met") < kinds.indexOf("generation"));
    assertEquals(
      side.events.filter((event) => event.kind === "generation")
        .map(({ generation }) => generation),
      [1, 2],
    );
    assertEquals(outcomes(side), Array(16).fill("exchanged"));
    assertEquals(side.conversation.undelivered, 0);
  }
  const text = bob.events.find((event) => event.kind === "text");
  assertEquals(text, { kind: "text", id, text: "hello", sentAt: 5 });
});

Deno.test("S3.8: whoever is alone at the drop knows it, says nothing twice, and is heard later", async () => {
  const { alice, bob } = await conversation();
  const id = alice.conversation.say("hello", 5);
  let start = FIRST;
  for (let i = 0; i < 40; i++, start += PERIOD) {
    const { replies } = await meet([alice, bob], start, [true, false]);
    await alice.conversation.incoming(start, replies[0]!);
  }
  assertEquals(outcomes(alice), Array(40).fill("absent"));
  assertEquals(statesOf(alice, id), ["queued"]);
  await calm([alice, bob], start, 16);
  assertEquals(shown(bob), ["hello"]);
  assertEquals(statesOf(alice, id).at(-1), "delivered");
});

Deno.test("S3.4: a text of 64 KiB goes in parts, among new keys, and arrives once", async () => {
  const { alice, bob } = await conversation();
  const long = "é".repeat(32_768);
  const id = alice.conversation.say(long, 5);
  alice.conversation.say("after it", 6);
  let start = await calm([alice, bob], FIRST, 100);
  assertEquals(statesOf(alice, id).at(-1), "in round");
  start = await calm([alice, bob], start, 100);
  assertEquals(shown(bob), [long, "after it"]);
  assertEquals(statesOf(alice, id).at(-1), "delivered");
  assert(alice.conversation.generation >= 5);
});

Deno.test("S3.8: who hangs up is heard when everything before is; both sides end", async () => {
  const { alice, bob } = await conversation();
  let start = await calm([alice, bob], FIRST, 12);
  alice.conversation.say("last words", 5);
  alice.conversation.hangUp("bye");
  alice.conversation.hangUp("busy");
  start = await calm([alice, bob], start, 8);
  const kinds = bob.events.map(({ kind }) => kind);
  assertEquals(shown(bob), ["last words"]);
  assert(kinds.indexOf("text") < kinds.indexOf("hung up"));
  assertEquals(
    bob.events.filter((event) => event.kind === "hung up"),
    [{ kind: "hung up", reason: "bye" }],
  );
  assert(alice.conversation.over);
  assert(bob.conversation.over);
  assertEquals(alice.events.at(-1), { kind: "over", undelivered: 0 });
  assertEquals(bob.events.at(-1), { kind: "over", undelivered: 0 });
  assertEquals(await alice.conversation.outgoing(start), undefined);
});

Deno.test("S3.8: who hangs up and is alone goes on for thirty rounds, and says what was not delivered", async () => {
  const { alice, bob } = await conversation();
  let start = await calm([alice, bob], FIRST, 12);
  alice.conversation.say("nobody hears this", 5);
  alice.conversation.hangUp("bye");
  let rounds = 0;
  for (; rounds < 50; rounds++, start += PERIOD) {
    const { replies } = await meet([alice, bob], start, [true, false]);
    if (replies[0] === undefined) break;
    await alice.conversation.incoming(start, replies[0]);
  }
  assertEquals(rounds, 30);
  assertEquals(alice.events.at(-1), { kind: "over", undelivered: 1 });
});

for (const refuses of ["refused", "busy"] as const) {
  Deno.test(`S3.8: a callee who is not to talk (${refuses}) says so and nothing else`, async () => {
    const { alice, bob } = await conversation({ refuses });
    await calm([alice, bob], FIRST, 8);
    assertEquals(
      alice.events.filter(({ kind }) => kind !== "round"),
      [{ kind: "hung up", reason: refuses }, { kind: "over", undelivered: 0 }],
    );
    assert(bob.conversation.over);
    assertEquals(bob.events.some(({ kind }) => kind === "met"), false);
  });
}

Deno.test("S3.8: rounds that are not later than the last, passed minutes and leaps give no message", async () => {
  const { alice, bob } = await conversation();
  assert(await alice.conversation.outgoing(FIRST) !== undefined);
  assertEquals(await alice.conversation.outgoing(FIRST), undefined);
  assertEquals(await alice.conversation.outgoing(FIRST - PERIOD), undefined);
  assert(await alice.conversation.outgoing(FIRST + 60_000) !== undefined);
  assertEquals(await alice.conversation.outgoing(FIRST + 2), undefined);
  assertEquals(await bob.conversation.outgoing(DIALED - 60_000), undefined);
  const weeks = 6 * 7 * 86_400_000;
  assertEquals(await bob.conversation.outgoing(DIALED + weeks), undefined);
  assert(bob.conversation.over);
});

Deno.test("S3.8: after three weeks of absence the two find each other again", async () => {
  const { alice, bob } = await conversation();
  await calm([alice, bob], FIRST, 12);
  alice.conversation.say("still there?", 5);
  await calm([alice, bob], FIRST + 3 * 7 * 86_400_000, 4);
  assertEquals(shown(bob), ["still there?"]);
});
