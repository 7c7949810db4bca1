import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";
import {
  addTextPart,
  cutText,
  EMPTY_ASSEMBLY,
  MessageType,
  RANGE_LIMIT,
} from "../../lib/peer/mod.ts";
import { parseLetter } from "../../lib/mailbox/letter.ts";
import { parseBundle } from "../../lib/mailbox/prekey_bundle.ts";
import {
  addOneTimePrekeys,
  createPrekeys,
  forgetOneTimePrekey,
  publishBundle,
} from "../../lib/mailbox/prekey_secrets.ts";
import {
  isDelivered,
  openLetter,
  sealMessage,
} from "../../lib/mailbox/session.ts";
import type {
  OpenedLetter,
  OutgoingMessage,
} from "../../lib/mailbox/session.ts";
import {
  acceptSession,
  startSession,
} from "../../lib/mailbox/session_start.ts";
import type { Session } from "../../lib/mailbox/session_state.ts";
import {
  decodeSession,
  encodeSession,
} from "../../lib/mailbox/session_state.ts";
import { testKeyring } from "../support/keyrings.ts";
import {
  answeredPair,
  codeOf,
  NOW,
  pair,
  person,
  say,
  start,
} from "./people.ts";
import type { Pair } from "./people.ts";

const RECEIPT: OutgoingMessage = {
  type: MessageType.RECEIPT,
  flags: 0,
  payload: new Uint8Array(0),
};

/** Alice seals one more letter. */
async function fromAlice(
  now: Pair,
  outgoing: OutgoingMessage = say("x"),
): Promise<{ now: Pair; letter: Bytes; seq: number }> {
  const { session, letter, seq } = await sealMessage(
    now.atAlice,
    now.alice.own,
    outgoing,
  );
  return { now: { ...now, atAlice: session }, letter, seq };
}

function atBob(now: Pair, letter: Bytes): ReturnType<typeof openLetter> {
  return openLetter(now.atBob, now.bob.own, now.alice.own.certificate, letter);
}

function atAlice(now: Pair, letter: Bytes): ReturnType<typeof openLetter> {
  return openLetter(
    now.atAlice,
    now.alice.own,
    now.bob.own.certificate,
    letter,
  );
}

Deno.test("S3.4: two people with real keyrings exchange a text of many messages, both ways", async () => {
  const [alice, bob] = await Promise.all([
    testKeyring("alice@example.org"),
    testKeyring("bob@example.org"),
  ]);
  const { secrets, added } = await addOneTimePrekeys(
    await createPrekeys(NOW),
    3,
  );
  const bundle = await parseBundle(
    await publishBundle(bob, secrets),
    bob.certificate,
  );
  const text = "Grüße, and then some more of them. ".repeat(60);
  const id = new Uint8Array(8).fill(7);

  let sending = await startSession(alice, bob.certificate, bundle, added[1]!);
  let receiving: Session | null = null;
  let waiting = EMPTY_ASSEMBLY;
  const shown: string[] = [];
  for (const part of cutText({ id, sentAt: NOW, text })) {
    const sealed = await sealMessage(sending, alice, {
      type: MessageType.TEXT,
      ...part,
    });
    sending = sealed.session;
    assertEquals(sealed.letter.length, 1710);
    const opened: OpenedLetter = receiving === null
      ? await acceptSession(bob, alice.certificate, secrets, sealed.letter)
      : await openLetter(receiving, bob, alice.certificate, sealed.letter);
    receiving = opened.session;
    const step = addTextPart(waiting, opened.message);
    waiting = step.assembly;
    if (step.text !== null) shown.push(step.text.text);
  }
  assertEquals(shown, [text]);

  const answer = await sealMessage(receiving!, bob, say("short"));
  assertEquals(answer.letter.length, 546);
  const { session, message } = await openLetter(
    sending,
    alice,
    bob.certificate,
    answer.letter,
  );
  assertEquals(message.payload, say("short").payload);
  assertEquals(message.ack, 6);
  for (let seq = 1; seq <= 6; seq++) assert(isDelivered(session, seq));
  assert(!isDelivered(session, 7));
});

Deno.test("S3.4: letters repeat the initial block until the first answer, any of them opens the session", async () => {
  const [alice, bob] = await Promise.all([person(), person()]);
  let session = await start(alice, bob);
  const letters: Bytes[] = [];
  for (const text of ["1", "2", "3"]) {
    const sealed = await sealMessage(session, alice.own, say(text));
    session = sealed.session;
    letters.push(sealed.letter);
  }
  for (const letter of letters) {
    assertEquals(letter.length, 1710);
    const opened = await acceptSession(
      bob.own,
      alice.own.certificate,
      bob.prekeys,
      letter,
    );
    assertEquals(opened.session.id, session.id);
    assertEquals(opened.oneTimeId, bob.prekeys.oneTime[0]!.id);
    assert(opened.fresh);
  }
  // Accepted by the last, the others open as any letter that comes late.
  let now: Pair = {
    alice,
    bob,
    atAlice: session,
    atBob: (await acceptSession(
      bob.own,
      alice.own.certificate,
      bob.prekeys,
      letters[2]!,
    )).session,
  };
  for (const letter of letters.slice(0, 2)) {
    now = { ...now, atBob: (await atBob(now, letter)).session };
  }
  assertEquals(now.atBob.received, { cumulative: 3, ranges: [] });

  const answer = await sealMessage(now.atBob, bob.own, RECEIPT);
  assertEquals(answer.letter.length, 546);
  const { session: answered } = await atAlice(now, answer.letter);
  assertEquals(answered.opening, null);
  const next = await sealMessage(answered, alice.own, say("4"));
  assertEquals(next.letter.length, 546);
});

Deno.test("session: only TEXT, READ and HANGUP are numbered, all acknowledge", async () => {
  let now = await answeredPair();
  const numbers: number[] = [];
  for (const type of Object.values(MessageType)) {
    if (type === MessageType.RATCHET) continue;
    const payload = new Uint8Array([type]);
    const step = await fromAlice(now, { type, flags: 0, payload });
    const opened = await atBob(step.now, step.letter);
    assertEquals(opened.message, {
      type,
      flags: 0,
      seq: step.seq,
      ack: 1,
      sack: 0,
      payload,
    });
    assert(opened.fresh);
    numbers.push(step.seq);
    now = { ...step.now, atBob: opened.session };
  }
  assertEquals(numbers, [0, 2, 0, 3, 0, 4]);
  assertEquals(now.atBob.received, { cumulative: 4, ranges: [] });
});

Deno.test("session: what is acknowledged is known to be delivered, gaps and all", async () => {
  let now = await answeredPair();
  const letters: Bytes[] = [];
  for (let i = 2; i <= 6; i++) {
    const step = await fromAlice(now);
    letters.push(step.letter);
    now = step.now;
  }
  // 2 and 5 are lost.
  for (const i of [3, 4, 6]) {
    now = { ...now, atBob: (await atBob(now, letters[i - 2]!)).session };
  }
  const receipt = await sealMessage(now.atBob, now.bob.own, RECEIPT);
  const { session, message } = await atAlice(now, receipt.letter);
  assertEquals(message.ack, 1);
  assertEquals(message.sack, 0b1011);
  assertEquals(
    [1, 2, 3, 4, 5, 6, 7].filter((seq) => isDelivered(session, seq)),
    [1, 3, 4, 6],
  );
});

Deno.test("session: a message sent once more has its old number and is fresh only once", async () => {
  let now = await answeredPair();
  const lost = await fromAlice(now, say("again"));
  const again = await fromAlice(lost.now, {
    ...say("again"),
    repeats: lost.seq,
  });
  assertEquals(again.seq, lost.seq);
  assertEquals(again.now.atAlice.nextSeq, lost.now.atAlice.nextSeq);
  now = again.now;
  const first = await atBob(now, again.letter);
  assert(first.fresh);
  const second = await atBob({ ...now, atBob: first.session }, lost.letter);
  assert(!second.fresh);
  assertEquals(second.message.payload, first.message.payload);
  assertEquals(second.session.received, first.session.received);

  for (const repeats of [0, now.atAlice.nextSeq]) {
    await assertRejects(
      () => fromAlice(now, { ...say("x"), repeats }),
      RangeError,
    );
  }
  await assertRejects(
    () => fromAlice(now, { ...RECEIPT, repeats: 1 }),
    RangeError,
  );
});

Deno.test("session: what cannot be sealed is refused and changes nothing", async () => {
  const now = await answeredPair();
  const before = encodeSession(now.atAlice);
  const bad: readonly OutgoingMessage[] = [
    { ...say("x"), payload: new Uint8Array(400) },
    { ...say("x"), flags: 4 },
    { ...RECEIPT, flags: 1 },
  ];
  for (const outgoing of bad) {
    await assertRejects(() => fromAlice(now, outgoing), RangeError);
  }
  assertEquals(encodeSession(now.atAlice), before);
  const last = { ...now, atAlice: { ...now.atAlice, nextSeq: 0xffffffff } };
  assertEquals(await codeOf(() => fromAlice(last)), "ERR_SESSION_END");
  const receipt = await fromAlice(last, RECEIPT);
  assertEquals((await atBob(receipt.now, receipt.letter)).message.seq, 0);
});

Deno.test("S3.4: a session is not started with oneself or with another's prekeys", async () => {
  const [alice, bob] = await Promise.all([person(), person()]);
  assertEquals(await codeOf(() => start(alice, alice)), "ERR_SESSION_PARTY");
  const bundle = await parseBundle(
    await publishBundle(bob.own, bob.prekeys),
    bob.own.certificate,
  );
  const { certificate } = (await person()).own;
  assertEquals(
    await codeOf(() => startSession(alice.own, certificate, bundle)),
    "ERR_PREKEY_IDENTITY",
  );
  const { letter } = await sealMessage(
    await start(alice, bob),
    alice.own,
    say("x"),
  );
  assertEquals(
    await codeOf(() =>
      acceptSession(alice.own, alice.own.certificate, alice.prekeys, letter)
    ),
    "ERR_SESSION_PARTY",
  );
});

Deno.test("S3.4: an opening letter that is played again opens nothing once its prekey is forgotten", async () => {
  const [alice, bob] = await Promise.all([person(), person()]);
  const { letter } = await sealMessage(
    await start(alice, bob),
    alice.own,
    say("once"),
  );
  const accept = (prekeys = bob.prekeys) =>
    acceptSession(bob.own, alice.own.certificate, prekeys, letter);
  const { session, oneTimeId } = await accept();
  const left = forgetOneTimePrekey(bob.prekeys, oneTimeId);
  assertEquals(await codeOf(() => accept(left)), "ERR_PREKEY_UNKNOWN");
  assertEquals(
    await codeOf(() =>
      openLetter(session, bob.own, alice.own.certificate, letter)
    ),
    "ERR_RATCHET_USED",
  );
});

Deno.test("session: a letter that opens no session is not accepted as one", async () => {
  const now = await answeredPair();
  const { letter } = await fromAlice(now);
  assertEquals(parseLetter(letter).block, null);
  assertEquals(
    await codeOf(() =>
      acceptSession(
        now.bob.own,
        now.alice.own.certificate,
        now.bob.prekeys,
        letter,
      )
    ),
    "ERR_SESSION_OTHER",
  );
});

Deno.test("session: a number that would leave too many runs apart is refused", async () => {
  const now = await answeredPair();
  const ranges = Array.from({ length: RANGE_LIMIT }, (_, i) => ({
    first: 10 + 2 * i,
    last: 10 + 2 * i,
  }));
  const full = {
    ...now,
    atBob: { ...now.atBob, received: { cumulative: 0, ranges } },
  };
  const step = await fromAlice(full);
  assertEquals(step.seq, 2);
  const before = encodeSession(full.atBob);
  assertEquals(await codeOf(() => atBob(full, step.letter)), "ERR_SESSION_END");
  assertEquals(encodeSession(full.atBob), before);
});

Deno.test("session: every stage comes back from its bytes; cut or too long it is malformed", async () => {
  const [fresh, opened, answered] = await Promise.all([
    (async () => await start(await person(), await person()))(),
    pair(),
    answeredPair(),
  ]);
  const stages = [
    fresh,
    opened.atAlice,
    opened.atBob,
    answered.atAlice,
    answered.atBob,
  ];
  for (const session of stages) {
    const bytes = encodeSession(session);
    assertEquals(decodeSession(bytes), session);
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(
        () => decodeSession(bytes.subarray(0, length)),
        MalformedError,
      );
    }
    assertThrows(
      () => decodeSession(new Uint8Array([...bytes, 0])),
      MalformedError,
    );
    for (const [at, value] of [[0, 2], [1, 2]] as const) {
      const other = bytes.slice();
      other[at] = value;
      assertThrows(() => decodeSession(other), MalformedError, `${value}`);
    }
  }
});
