import { assert, assertEquals } from "@std/assert";
import type { Keyring } from "../../lib/identity/mod.ts";
import { Conversation } from "../../lib/mix/conversation/conversation.ts";
import type { ConversationEvent } from "../../lib/mix/conversation/conversation_event.ts";
import {
  firstGeneration,
  nextGeneration as ourGeneration,
} from "../../lib/mix/conversation/generation_secret.ts";
import { KeyWheel } from "../../lib/mix/conversation/key_wheel.ts";
import {
  callId as ourCallId,
  callSecret as ourCallSecret,
  dialToken,
  pairSecret as ourPairSecret,
} from "../../lib/mix/conversation/pair_secret.ts";
import {
  dropOf,
  openInRound,
  sealBase,
  sealInRound,
} from "../../lib/mix/conversation/round_seal.ts";
import { cutStep, readStepPart } from "../../lib/mix/conversation/step_part.ts";
import type { StepKind } from "../../lib/mix/conversation/step_part.ts";
import {
  exportDh,
  exportSigning,
  randomBytes,
} from "../../lib/protocol/mod.ts";
import { testKeyring } from "../support/keyrings.ts";
import {
  callId,
  callSecret,
  callToken,
  dropId,
  FIRST_GENERATION,
  messageKey,
  nextGeneration,
  openMessage,
  pairSecret,
  peerMessage,
  ratchetPayloads,
  readRatchet,
  roundKey,
  sealMessage,
  TYPE,
  WAY,
  WHAT,
} from "./naive_conversation.ts";
import { exchange } from "./naive_mix.ts";
import { join, random } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import { NaiveTalker } from "./naive_talker.ts";

const ALICE = await testKeyring("alice@test");
const BOB = await testKeyring("bob@test");
/** Two seconds before a minute is over. */
const DIALLED = 1_800_000_058_000;

async function naivePair(own: Keyring, their: Keyring): Promise<Octets> {
  return pairSecret(
    { secret: await exportDh(own.dh), id: own.certificate.id },
    { open: their.certificate.dhKey, id: their.certificate.id },
  );
}

Deno.test("SPEC.md §13.12: secrets, tokens and calls of a pair are ours", async () => {
  const s = await naivePair(ALICE, BOB);
  assertEquals(s, await naivePair(BOB, ALICE));
  assertEquals(s, await ourPairSecret(ALICE, BOB.certificate));
  assertEquals(s, await ourPairSecret(BOB, ALICE.certificate));
  for (const { certificate: { id } } of [ALICE, BOB]) {
    const token = callToken(s, DIALLED, id);
    assertEquals(token, await dialToken(s, DIALLED, id));
    const c = callSecret(s, token);
    assertEquals(c, await ourCallSecret(s, token));
    assertEquals(callId(c), await ourCallId(c));
  }
});

Deno.test("SPEC.md §13.13: the wheel, drops and keys of rounds are ours", async () => {
  const c = random(32);
  const wheel = new KeyWheel(c, DIALLED);
  const generation = random(32);
  for (const later of [0, 1_999, 2_000, 61_999, 62_000, 3_600_000]) {
    const start = DIALLED + later;
    const r = roundKey(c, DIALLED, start);
    assertEquals(await wheel.roundKey(start), r);
    assertEquals(await dropOf(r), dropId(r));
    const base = await sealBase(r);
    const message = random(480);
    for (const way of [WAY.fromCaller, WAY.toCaller]) {
      for (const g of [FIRST_GENERATION, generation]) {
        const sealed = sealMessage(messageKey(r, g, way), message);
        assertEquals(sealed.length, 496);
        assertEquals(await sealInRound(base, g, way, message), sealed);
        assertEquals(await openInRound(base, g, way, sealed), message);
      }
    }
  }
  wheel.erase();
});

Deno.test("SPEC.md §13.13: generations and the messages that agree on them are ours", async () => {
  const agreed = random(32);
  const first = await ourGeneration(firstGeneration(), agreed);
  assertEquals(first.secret, nextGeneration(1, FIRST_GENERATION, agreed));
  const kem = random(32);
  const second = await ourGeneration(first, join(agreed, kem));
  assertEquals(second.secret, nextGeneration(2, first.secret, agreed, kem));
  for (
    const [what, step, length] of [
      [WHAT.dh, 1, 32],
      [WHAT.offer, 2, 32 + 1_184],
      [WHAT.answer, 65_535, 32 + 1_088],
    ] as const
  ) {
    const data = random(length);
    const payloads = ratchetPayloads(what, step, data);
    assertEquals(payloads, cutStep(what as StepKind, step, data));
    for (const [part, payload] of payloads.entries()) {
      const { data } = readRatchet(payload);
      const read = { kind: what as StepKind, step, part, data };
      assertEquals(readStepPart(payload), read);
    }
  }
});

/** A conversation of ours and one of the text about one call. */
async function both(way: number) {
  const [caller, callee] = [ALICE, BOB];
  const [own, peer] = way === WAY.fromCaller
    ? [caller, callee]
    : [callee, caller];
  const s = await naivePair(caller, callee);
  const secret = callSecret(s, callToken(s, DIALLED, caller.certificate.id));
  const events: ConversationEvent[] = [];
  const ours = await Conversation.begin({
    secret,
    dialedAt: DIALLED,
    direction: (WAY.toCaller - way) as 0 | 1,
    signing: peer.signing,
    peer: own.certificate,
    random: randomBytes,
    onEvent: (event) => events.push(event),
  });
  const seed = await exportSigning(own.signing);
  const { signingKey: signer } = peer.certificate;
  const call = { secret, dialled: DIALLED, way, seed, signer };
  const naive = new NaiveTalker(call);
  let start = DIALLED;
  /** A round in which both meet. */
  const round = async () => {
    start += 2_000;
    const mine = await ours.outgoing(start);
    assert(mine !== undefined, "ours is over");
    const theirs = naive.outgoing(start);
    assertEquals(mine.drop, theirs.drop);
    assertEquals([mine.sealed.length, theirs.sealed.length], [496, 496]);
    const replies = exchange([
      join(mine.drop, mine.sealed),
      join(theirs.drop, theirs.sealed),
    ]);
    await ours.incoming(start, replies[0]!);
    await naive.incoming(start, replies[1]!);
  };
  const texts = () =>
    events.flatMap((event) => event.kind === "text" ? [event.text] : []);
  const until = async (isSo: () => boolean, rounds: number) => {
    for (let i = 0; i < rounds && !isSo(); i++) await round();
    assert(isSo(), `it is not so after ${rounds} rounds`);
  };
  return { ours, naive, call, events, texts, round, until };
}

for (const way of [WAY.fromCaller, WAY.toCaller]) {
  const who = way === WAY.fromCaller ? "calls" : "is called";
  Deno.test(`SPEC.md §13.13: one of the text ${who}, and talks with one of ours through four generations`, async () => {
    const { ours, naive, events, texts, until, round } = await both(way);
    const long = "äöü ".repeat(300);
    naive.tell("first");
    naive.tell(long);
    ours.say("one", 1);
    ours.say(long, 2);
    await until(() => naive.generation === 1 && ours.generation === 1, 6);
    for (const g of [2, 3, 4]) {
      // The caller begins those with even numbers; ours does so by itself.
      const begins = (g % 2 === 0) === (way === WAY.fromCaller);
      if (begins) await naive.offer();
      await until(() => naive.generation === g && ours.generation === g, 60);
      naive.tell(`in ${g}`);
      ours.say(`of ${g}`, 3);
    }
    const all = () => texts().length === 5 && naive.texts.length === 5;
    await until(all, 10);
    assertEquals(texts(), ["first", long, "in 2", "in 3", "in 4"]);
    assertEquals(naive.texts, ["one", long, "of 2", "of 3", "of 4"]);
    for (let i = 0; i < 4; i++) await round();
    assertEquals(ours.undelivered, 0);
    assertEquals(
      events.filter((event) =>
        event.kind === "round" && event.outcome !== "exchanged"
      ),
      [],
    );
    naive.leave(0);
    const hungUp = () =>
      events.some((event) =>
        event.kind === "hung up" && event.reason === "bye"
      );
    await until(hungUp, 2);
    await ours.erase();
  });
}

Deno.test("SPEC.md §13.13: who of ours hangs up says so in a byte", async () => {
  for (
    const [number, reason] of (["bye", "refused", "busy"] as const).entries()
  ) {
    const { ours, naive, until } = await both(WAY.fromCaller);
    ours.hangUp(reason);
    await until(() => naive.hungUp !== undefined, 6);
    assertEquals(naive.hungUp, number);
    await ours.erase();
  }
});

Deno.test("SPEC.md §13.13: what is signed for another round, direction or call, or by somebody else, is not taken", async () => {
  const { ours, call, events } = await both(WAY.fromCaller);
  const { secret, dialled, way, seed } = call;
  const start = dialled + 4_000;
  const place = { call: callId(secret), start, way };
  const message = {
    type: TYPE.hangup,
    flags: 0,
    number: 1,
    ack: 0,
    sack: 0,
    payload: Uint8Array.of(0),
  };
  const bad = [
    peerMessage(message, { ...place, start: start + 2_000 }, seed),
    peerMessage(message, { ...place, way: WAY.toCaller }, seed),
    peerMessage(message, { ...place, call: random(16) }, seed),
    peerMessage(message, place, random(32)),
    peerMessage({ ...message, ack: 9 }, place, seed),
    peerMessage({ ...message, type: 9 }, place, seed),
    peerMessage({ ...message, payload: Uint8Array.of(3) }, place, seed),
  ];
  const outcomes = () =>
    events.flatMap((event) => event.kind === "round" ? [event.outcome] : []);
  for (
    const [i, bytes] of [...bad, peerMessage(message, place, seed)].entries()
  ) {
    const each = await both(WAY.fromCaller);
    await each.ours.outgoing(start);
    const r = roundKey(secret, dialled, start);
    const key = messageKey(r, FIRST_GENERATION, way);
    await each.ours.incoming(start, sealMessage(key, bytes));
    const found = each.events.find((event) => event.kind === "round");
    const expected = i < bad.length ? "garbled" : "exchanged";
    assertEquals(found, { kind: "round", round: start, outcome: expected });
    await each.ours.erase();
  }
  // One's own, come back.
  const own = (await ours.outgoing(start))!;
  const r = roundKey(secret, dialled, start);
  const mine = openMessage(
    messageKey(r, FIRST_GENERATION, WAY.toCaller),
    own.sealed,
  );
  assertEquals(mine.length, 480);
  await ours.incoming(start, own.sealed);
  assertEquals(outcomes(), ["absent"]);
  await ours.erase();
});
