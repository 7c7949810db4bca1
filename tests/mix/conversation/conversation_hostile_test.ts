import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  cutStep,
  readStepPart,
  StepKind,
} from "../../../lib/mix/conversation/step_part.ts";
import { callId } from "../../../lib/mix/conversation/pair_secret.ts";
import { sealInRound } from "../../../lib/mix/conversation/round_seal.ts";
import { MessageType, signPeerMessage } from "../../../lib/peer/mod.ts";
import type { PeerMessage } from "../../../lib/peer/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  concat,
  MalformedError,
  randomBytes,
  u64,
} from "../../../lib/protocol/mod.ts";
import { flipped } from "../../mailbox/people.ts";
import { testKeyring } from "../../support/keyrings.ts";
import { naiveBase, naiveRoundKey } from "./naive_keys.ts";
import {
  calm,
  conversation,
  DIALED,
  meet,
  outcomes,
  PERIOD,
  shown,
} from "./two_people.ts";
import type { Side } from "./two_people.ts";

const FIRST = DIALED + 10_000;
const MINUTE0 = Math.floor(DIALED / 60_000);

const NOTHING: PeerMessage = {
  type: MessageType.COVER,
  flags: 0,
  seq: 0,
  ack: 0,
  sack: 0,
  payload: new Uint8Array(0),
};

/** What Alice has to tell besides rounds. */
function news({ events }: Side): string[] {
  return events.map(({ kind }) => kind).filter((kind) => kind !== "round");
}

/** What Bob, or somebody with the keys of the call, leaves in a round under generation 0. */
async function forged(
  call: Bytes,
  start: number,
  message: Partial<PeerMessage>,
  by = "bob@example.org",
  at = start,
): Promise<Bytes> {
  const { signing } = await testKeyring(by);
  const context = concat(await callId(call), u64(BigInt(at)), Uint8Array.of(1));
  const signed = await signPeerMessage(signing.privateKey, context, {
    ...NOTHING,
    ...message,
  });
  const base = naiveBase(naiveRoundKey(call, MINUTE0, start));
  return await sealInRound(base, new Uint8Array(32), 1, signed);
}

Deno.test("S3.8: random, altered, replayed and foreign replies change nothing", async () => {
  const { alice, bob } = await conversation();
  const sides = [alice, bob];
  const replies: Bytes[] = [];
  let start = await calm(
    sides,
    FIRST,
    12,
    (met) => replies.push(met.replies[0]!),
  );
  alice.conversation.say("hello", 1);
  const before = news(alice).length;
  const [first, second, third] = replies as [Bytes, Bytes, Bytes];
  const hostile = [
    () => randomBytes(496),
    () => new Uint8Array(0),
    () => randomBytes(495),
    () => randomBytes(512),
    () => first,
    () => second,
    () => third,
    (whole: Bytes) => flipped(whole, 0),
    (whole: Bytes) => flipped(whole, 496 * 8 - 1),
    (whole: Bytes) => flipped(whole, 1_234),
  ];
  for (const make of hostile) {
    const met = await meet(sides, start);
    await alice.conversation.incoming(start, make(met.replies[0]!));
    await bob.conversation.lost(start, "failed");
    start += PERIOD;
  }
  assertEquals(
    outcomes(alice).slice(-hostile.length),
    hostile.map(() => "garbled"),
  );
  const told = alice.events.filter(({ kind }) => kind !== "round").slice(
    before,
  );
  assert(told.every(({ kind }) => kind === "state"));
  await calm(sides, start, 12);
  assertEquals(shown(bob), ["hello"]);
});

Deno.test("S3.8: a reply counts once; what comes again, or of a round that was given up, changes nothing", async () => {
  const { alice, bob } = await conversation();
  const { start, replies } = await meet([alice, bob], FIRST);
  await alice.conversation.incoming(start, replies[0]!);
  const events = alice.events.length;
  await alice.conversation.incoming(start, replies[0]!);
  await alice.conversation.incoming(start, randomBytes(496));
  await alice.conversation.lost(start, "failed");
  await alice.conversation.incoming(start + 1, replies[0]!);
  assertEquals(alice.events.length, events);
});

Deno.test("S3.8: of rounds without an end sixteen are remembered", async () => {
  const { alice } = await conversation();
  for (let i = 0; i < 200; i++) {
    await alice.conversation.outgoing(FIRST + i * PERIOD);
  }
  assertEquals(alice.conversation.memoryForTestingOnly().rounds.size, 16);
  assertEquals(outcomes(alice), Array(184).fill("unknown"));
});

Deno.test("S3.4: messages that break the rules are refused, whoever sealed them", async () => {
  const dh = cutStep(StepKind.DH, 1, randomBytes(32))[0]!;
  const { RATCHET, TEXT, HANGUP, COVER } = MessageType;
  const bad: readonly [string, Partial<PeerMessage>, string?, number?][] = [
    ["acknowledges what was never sent", { ack: 2 }],
    ["acknowledges what was never sent, selectively", { sack: 1 }],
    ["beyond the window", { type: RATCHET, seq: 33, payload: dh }],
    ["far beyond it", {
      type: HANGUP,
      seq: 0xffffffff,
      payload: Uint8Array.of(0),
    }],
    ["text without a key", { type: TEXT, seq: 1, payload: randomBytes(20) }],
    ["no reason", { type: HANGUP, seq: 1 }],
    ["unknown reason", { type: HANGUP, seq: 1, payload: Uint8Array.of(3) }],
    ["two reasons", { type: HANGUP, seq: 1, payload: new Uint8Array(2) }],
    ["empty step", { type: RATCHET, seq: 1 }],
    ["key of low order", {
      type: RATCHET,
      seq: 1,
      payload: cutStep(0, 1, new Uint8Array(32))[0]!,
    }],
    ["signed by another", { type: COVER }, "carol@example.org"],
    ["signed by oneself", { type: COVER }, "alice@example.org"],
    ["signed for another round", { type: COVER }, "bob@example.org", 5],
  ];
  for (const [what, message, by, at] of bad) {
    const { alice, call } = await conversation();
    await alice.conversation.outgoing(FIRST);
    const reply = await forged(call, FIRST, message, by, at ?? FIRST);
    await alice.conversation.incoming(FIRST, reply);
    assertEquals(outcomes(alice), ["garbled"], what);
    assertEquals(news(alice), [], what);
    assertEquals(alice.conversation.generation, 0, what);
  }
  // The same by the rules is taken.
  const { alice, call } = await conversation();
  await alice.conversation.outgoing(FIRST);
  const reply = await forged(call, FIRST, {
    type: RATCHET,
    seq: 32,
    ack: 1,
    payload: dh,
  });
  await alice.conversation.incoming(FIRST, reply);
  assertEquals(outcomes(alice), ["exchanged"]);
  assertEquals(alice.conversation.generation, 1);
});

Deno.test("S3.8: parts of steps that are out of place, in any number, change no key", async () => {
  const { alice, call } = await conversation();
  let seq = 0;
  const offer = cutStep(StepKind.OFFER, 2, randomBytes(1216));
  const answer = cutStep(StepKind.ANSWER, 2, randomBytes(1120));
  const late = cutStep(StepKind.ANSWER, 0xffff, randomBytes(1120));
  for (const [i, payload] of [...offer, ...answer, ...late].entries()) {
    const start = FIRST + i * PERIOD;
    await alice.conversation.outgoing(start);
    const message = { type: MessageType.RATCHET, seq: ++seq, payload };
    await alice.conversation.incoming(
      start,
      await forged(call, start, message),
    );
  }
  assertEquals(outcomes(alice), Array(10).fill("exchanged"));
  assertEquals(alice.conversation.generation, 0);
  assertEquals(alice.conversation.memoryForTestingOnly().braid.parts, []);
});

Deno.test("S3.4: steps are cut into parts that fit, and only those are read", () => {
  const shapes = [
    [StepKind.DH, 1, 32, [36]],
    [StepKind.OFFER, 2, 1216, [308, 308, 308, 308]],
    [StepKind.ANSWER, 0xffff, 1120, [378, 378, 376]],
  ] as const;
  for (const [kind, step, length, sizes] of shapes) {
    const whole = randomBytes(length);
    const payloads = cutStep(kind, step, whole);
    assertEquals(payloads.map(({ length }) => length), [...sizes]);
    const parts = payloads.map(readStepPart);
    assertEquals(concat(...parts.map(({ data }) => data)), whole);
    for (const [i, part] of parts.entries()) {
      assertEquals([part.kind, part.step, part.part], [kind, step, i]);
      const payload = payloads[i]!;
      for (let cut = 0; cut < payload.length; cut++) {
        assertThrows(() => readStepPart(payload.slice(0, cut)), MalformedError);
      }
      const long = concat(payload, new Uint8Array(1));
      assertThrows(() => readStepPart(long), MalformedError);
    }
  }
  const data = new Uint8Array(400);
  for (
    const head of [
      [3, 0, 2, 0],
      [0, 0, 2, 0],
      [1, 0, 1, 0],
      [1, 0, 0, 0],
      [1, 0, 2, 4],
      [2, 0, 2, 3],
      [0, 0, 1, 1],
    ]
  ) {
    for (const length of [32, 304, 372, 374]) {
      const payload = concat(new Uint8Array(head), data.slice(0, length));
      assertThrows(() => readStepPart(payload), MalformedError);
    }
  }
});
