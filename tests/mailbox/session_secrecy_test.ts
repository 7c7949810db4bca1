import { assertEquals, assertMatch } from "@std/assert";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { forgetOneTimePrekey } from "../../lib/mailbox/prekey_secrets.ts";
import { openLetter, sealMessage } from "../../lib/mailbox/session.ts";
import { acceptSession } from "../../lib/mailbox/session_start.ts";
import type { Session } from "../../lib/mailbox/session_state.ts";
import {
  decodeSession,
  encodeSession,
} from "../../lib/mailbox/session_state.ts";
import { codeOf, person, say, start } from "./people.ts";

Deno.test("S3.4: forward secrecy: session, keyring and prekeys, stolen together, open no earlier letter", async () => {
  const [alice, bob] = await Promise.all([person(), person()]);
  const letters: Bytes[] = [];
  let atAlice = await start(alice, bob);
  const first = await sealMessage(atAlice, alice.own, say("first"));
  letters.push(first.letter);
  const accepted = await acceptSession(
    bob.own,
    alice.own.certificate,
    bob.prekeys,
    first.letter,
  );
  let atBob = accepted.session;
  atAlice = first.session;
  const prekeys = forgetOneTimePrekey(bob.prekeys, accepted.oneTimeId);
  for (let k = 0; k < 4; k++) {
    const back = await sealMessage(atBob, bob.own, say("back"));
    atAlice = (await openLetter(
      atAlice,
      alice.own,
      bob.own.certificate,
      back.letter,
    )).session;
    const there = await sealMessage(atAlice, alice.own, say("there"));
    atAlice = there.session;
    letters.push(there.letter);
    atBob = (await openLetter(
      back.session,
      bob.own,
      alice.own.certificate,
      there.letter,
    )).session;

    const stolen = decodeSession(encodeSession(atBob));
    for (const letter of letters) {
      assertMatch(
        await codeOf(() =>
          openLetter(stolen, bob.own, alice.own.certificate, letter)
        ),
        /^ERR_RATCHET_(USED|UNOPENED)$/,
      );
      assertMatch(
        await codeOf(() =>
          acceptSession(bob.own, alice.own.certificate, prekeys, letter)
        ),
        /^ERR_(PREKEY_UNKNOWN|SESSION_OTHER)$/,
      );
    }
  }
  assertEquals(letters.length, 5);
});

Deno.test("S3.4: post-compromise security: a stolen session and keyring read nothing after a round trip", async () => {
  const [alice, bob] = await Promise.all([person(), person()]);
  const first = await sealMessage(
    await start(alice, bob),
    alice.own,
    say("first"),
  );
  let atAlice = first.session;
  let { session: atBob } = await acceptSession(
    bob.own,
    alice.own.certificate,
    bob.prekeys,
    first.letter,
  );

  /** Reads at Alice's side with whichever session is given. */
  const read = async (session: Session, letter: Bytes): Promise<Session> =>
    (await openLetter(session, alice.own, bob.own.certificate, letter)).session;

  const stolen = decodeSession(encodeSession(atAlice));
  // The theft is complete: the next answer opens for the thief too.
  const answer = await sealMessage(atBob, bob.own, say("answer"));
  atBob = answer.session;
  const followed = await read(stolen, answer.letter);
  atAlice = await read(atAlice, answer.letter);

  // One letter of Alice's with a new ratchet key of hers, read by Bob: healed.
  const healing = await sealMessage(atAlice, alice.own, say("healing"));
  atAlice = healing.session;
  atBob = (await openLetter(
    atBob,
    bob.own,
    alice.own.certificate,
    healing.letter,
  )).session;
  for (let k = 0; k < 3; k++) {
    const later = await sealMessage(atBob, bob.own, say("later"));
    atBob = later.session;
    for (const thief of [stolen, followed]) {
      assertEquals(
        await codeOf(() => read(thief, later.letter)),
        "ERR_RATCHET_UNOPENED",
      );
    }
    atAlice = await read(atAlice, later.letter);
  }
});
