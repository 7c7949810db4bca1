import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { concat, MalformedError, sign, utf8 } from "../../lib/protocol/mod.ts";
import { encodeEnvelope, parseLetter } from "../../lib/mailbox/letter.ts";
import {
  MessageType,
  PeerMessageError,
  signPeerMessage,
} from "../../lib/peer/mod.ts";
import { encrypt } from "../../lib/mailbox/ratchet.ts";
import { openLetter, sealMessage } from "../../lib/mailbox/session.ts";
import { acceptSession } from "../../lib/mailbox/session_start.ts";
import { encodeSession } from "../../lib/mailbox/session_state.ts";
import {
  answeredPair,
  codeOf,
  flipped,
  pair,
  person,
  say,
  start,
} from "./people.ts";
import type { Pair, Person } from "./people.ts";

const REFUSALS = /^ERR_(MALFORMED|RATCHET_\w+|SESSION_OTHER|PREKEY_\w+)$/;

/** Bob's refusal of a letter; his session must be the same bytes before and after. */
async function refusal(now: Pair, letter: Bytes): Promise<string> {
  const before = encodeSession(now.atBob);
  const code = await codeOf(() =>
    openLetter(now.atBob, now.bob.own, now.alice.own.certificate, letter)
  );
  assertEquals(encodeSession(now.atBob), before);
  return code;
}

/** `count` attempts, a few at a time, so that the crypto threads are never idle nor flooded. */
async function each(
  count: number,
  attempt: (i: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await attempt(next++);
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

for (const kind of ["opening", "following"] as const) {
  const name = kind === "opening" ? "an opening" : "a following";
  Deno.test(`S3.4: ${name} letter with any bit flipped is refused, the session unchanged`, async () => {
    const now = kind === "opening" ? await pair() : await answeredPair();
    const { letter } = await sealMessage(now.atAlice, now.alice.own, say("x"));
    assertEquals(letter.length, kind === "opening" ? 1710 : 546);
    let refused = 0;
    await each(letter.length * 8, async (bit) => {
      const code = await refusal(now, flipped(letter, bit));
      assertMatch(code, REFUSALS, `bit ${bit}`);
      refused++;
    });
    assertEquals(refused, letter.length * 8);
    // Untouched, it opens.
    await openLetter(now.atBob, now.bob.own, now.alice.own.certificate, letter);
  });

  Deno.test(`S3.4: ${name} letter cut at any byte or too long is malformed`, async () => {
    const now = kind === "opening" ? await pair() : await answeredPair();
    const { letter } = await sealMessage(now.atAlice, now.alice.own, say("x"));
    for (let length = 0; length < letter.length; length++) {
      assertEquals(
        await refusal(now, letter.slice(0, length)),
        "ERR_MALFORMED",
      );
    }
    const long = concat(letter, new Uint8Array(1));
    assertEquals(await refusal(now, long), "ERR_MALFORMED");
  });
}

Deno.test("S3.4: an opening letter with any byte altered starts no session", async () => {
  const [alice, bob] = await Promise.all([person(), person()]);
  const { letter } = await sealMessage(
    await start(alice, bob),
    alice.own,
    say("x"),
  );
  const accept = (bytes: Bytes) =>
    acceptSession(bob.own, alice.own.certificate, bob.prekeys, bytes);
  let refused = 0;
  await each(letter.length, async (at) => {
    const code = await codeOf(() => accept(flipped(letter, at * 8 + at % 8)));
    assertMatch(code, /^ERR_(MALFORMED|RATCHET_\w+|SESSION_\w+|PREKEY_\w+)$/);
    refused++;
  });
  assertEquals(refused, 1710);
  assertEquals((await accept(letter)).message.payload, say("x").payload);
});

Deno.test("S3.4: a letter that carries a RATCHET, which only rounds do, is malformed", async () => {
  const now = await answeredPair();
  const { letter, seq } = await sealMessage(now.atAlice, now.alice.own, {
    type: MessageType.RATCHET,
    flags: 0,
    payload: new Uint8Array([0, 0, 1, 0]),
  });
  assertEquals(seq > 0, true);
  assertEquals(await refusal(now, letter), "ERR_MALFORMED");
});

Deno.test("S3.4: parts of two letters do not make a third", async () => {
  const now = await answeredPair();
  const one = await sealMessage(now.atAlice, now.alice.own, say("one"));
  const two = await sealMessage(one.session, now.alice.own, say("two"));
  const [a, b] = [parseLetter(one.letter), parseLetter(two.letter)];
  assertEquals(
    await refusal(now, concat(a.envelope, b.sealed)),
    "ERR_RATCHET_UNOPENED",
  );
  assertEquals(
    await refusal(now, concat(b.envelope, a.sealed)),
    "ERR_RATCHET_UNOPENED",
  );
});

Deno.test("S3.4: a letter that is played again, or back to its sender, is refused", async () => {
  let now = await answeredPair();
  const { session, letter } = await sealMessage(
    now.atAlice,
    now.alice.own,
    say("x"),
  );
  now = { ...now, atAlice: session };
  const opened = await openLetter(
    now.atBob,
    now.bob.own,
    now.alice.own.certificate,
    letter,
  );
  now = { ...now, atBob: opened.session };
  assertEquals(await refusal(now, letter), "ERR_RATCHET_USED");
  const before = encodeSession(now.atAlice);
  assertEquals(
    await codeOf(() =>
      openLetter(now.atAlice, now.alice.own, now.bob.own.certificate, letter)
    ),
    "ERR_RATCHET_UNOPENED",
  );
  assertEquals(encodeSession(now.atAlice), before);
});

Deno.test("S3.4: an opening letter played back to its sender is refused", async () => {
  const now = await pair();
  const { session, letter } = await sealMessage(
    now.atAlice,
    now.alice.own,
    say("x"),
  );
  assertEquals(
    await codeOf(() =>
      openLetter(session, now.alice.own, now.bob.own.certificate, letter)
    ),
    "ERR_RATCHET_UNOPENED",
  );
  for (const peer of [now.bob.own.certificate, now.alice.own.certificate]) {
    assertEquals(
      await codeOf(() =>
        acceptSession(now.alice.own, peer, now.alice.prekeys, letter)
      ),
      "ERR_SESSION_PARTY",
    );
  }
});

Deno.test("S3.4: keyrings and certificates of others are refused", async () => {
  const now = await answeredPair();
  const mallory = await person();
  const { letter } = await sealMessage(now.atAlice, now.alice.own, say("x"));
  const attempts: readonly (() => Promise<unknown>)[] = [
    () => sealMessage(now.atAlice, mallory.own, say("x")),
    () => sealMessage(now.atAlice, now.bob.own, say("x")),
    () => openLetter(now.atBob, mallory.own, now.alice.own.certificate, letter),
    () => openLetter(now.atBob, now.bob.own, mallory.own.certificate, letter),
    () => openLetter(now.atBob, now.bob.own, now.bob.own.certificate, letter),
    () => openLetter(now.atBob, now.alice.own, now.bob.own.certificate, letter),
  ];
  for (const attempt of attempts) {
    assertEquals(await codeOf(attempt), "ERR_SESSION_PARTY");
  }
  // Bob's true id with Mallory's keys: the identity key in the agreement, then the signature, differ.
  const opening = await sealMessage(
    await start(now.alice, now.bob),
    now.alice.own,
    say("x"),
  );
  const { certificate } = now.alice.own;
  const fake = { ...certificate, dhKey: mallory.own.certificate.dhKey };
  assertEquals(
    await codeOf(() =>
      acceptSession(now.bob.own, fake, now.bob.prekeys, opening.letter)
    ),
    "ERR_RATCHET_UNOPENED",
  );
  const forged = {
    ...certificate,
    signingKey: mallory.own.certificate.signingKey,
  };
  await assertRejects(
    () => openLetter(now.atBob, now.bob.own, forged, letter),
    PeerMessageError,
  );
});

Deno.test("S3.4: letters of one session are nothing in another between the same two people", async () => {
  const now = await answeredPair();
  const other = await start(now.alice, now.bob);
  const { letter } = await sealMessage(other, now.alice.own, say("x"));
  assertEquals(await refusal(now, letter), "ERR_SESSION_OTHER");
  // With the name of the first session on it, the envelope no longer matches the seal.
  const renamed = letter.slice();
  renamed.set(now.atBob.id, 2);
  assertEquals(await refusal(now, renamed), "ERR_RATCHET_UNOPENED");
});

Deno.test("S3.4: who takes over a session's keys but not the identity cannot write in its name", async () => {
  const now = await answeredPair();
  const mallory = await person();
  const thief: Person["own"] = {
    ...now.alice.own,
    signing: mallory.own.signing,
  };
  const { letter } = await sealMessage(now.atAlice, thief, say("x"));
  assertEquals(await refusal(now, letter), "ERR_PEER_MESSAGE_SIGNATURE");
});

Deno.test("S3.4: a peer that lies inside an authentic letter is refused", async () => {
  const now = await answeredPair();
  assertEquals(now.atBob.nextSeq, 2);
  const lies: readonly (readonly [number, number, string])[] = [
    [2, 0, "ERR_SESSION_ACKNOWLEDGEMENT"], // only message 1 was sent
    [0, 1, "ERR_SESSION_ACKNOWLEDGEMENT"], // message 2 out of order
    [0xffffffff, 0xffffffff, "ERR_SESSION_ACKNOWLEDGEMENT"],
  ];
  for (const [ack, sack, code] of lies) {
    assertEquals(await refusal(now, await lying(now, ack, sack)), code);
  }
  const honest = await lying(now, 1, 0);
  await openLetter(now.atBob, now.bob.own, now.alice.own.certificate, honest);
  // A message that is signed but not well formed: its padding is not zero.
  await assertRejects(
    async () =>
      await openLetter(
        now.atBob,
        now.bob.own,
        now.alice.own.certificate,
        await lying(now, 1, 0, 415),
      ),
    MalformedError,
    "padding",
  );
});

/** A letter as a peer with the right keys and a wrong program would write it. */
async function lying(
  now: Pair,
  ack: number,
  sack: number,
  tornAt?: number,
): Promise<Bytes> {
  const session = now.atAlice;
  const { privateKey } = now.alice.own.signing;
  const envelope = (header: Bytes): Bytes =>
    encodeEnvelope({ sessionId: session.id, header, block: null });
  const { header, sealed } = await encrypt(session.ratchet, async (header) => {
    const context = concat(session.id, header, session.associated);
    const message = { ...say("x"), seq: 2, ack, sack };
    let plaintext = await signPeerMessage(privateKey, context, message);
    if (tornAt !== undefined) {
      const body = plaintext.slice(0, 416);
      body[tornAt]! ^= 1;
      const label = utf8("sotto peer message v1\0");
      const signature = await sign(privateKey, concat(label, context, body));
      plaintext = concat(body, signature);
    }
    return {
      plaintext,
      associated: concat(envelope(header), session.associated),
    };
  });
  return concat(envelope(header), sealed);
}
