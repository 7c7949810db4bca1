import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  concat,
  generateDh,
  generateSigning,
  sha256,
} from "../../lib/protocol/mod.ts";
import type { OwnParty } from "../../lib/mailbox/party.ts";
import { parseBundle } from "../../lib/mailbox/prekey_bundle.ts";
import type { PrekeySecrets } from "../../lib/mailbox/prekey_secrets.ts";
import {
  addOneTimePrekeys,
  createPrekeys,
  publishBundle,
} from "../../lib/mailbox/prekey_secrets.ts";
import { openLetter, sealMessage } from "../../lib/mailbox/session.ts";
import {
  acceptSession,
  startSession,
} from "../../lib/mailbox/session_start.ts";
import type { OutgoingMessage } from "../../lib/mailbox/session.ts";
import type { Session } from "../../lib/mailbox/session_state.ts";
import { MessageType } from "../../lib/peer/mod.ts";

/** When all test prekeys are made, in seconds since 1970. */
export const NOW = 1_800_000_000;

/** Somebody with an identity and prekeys, one of them for one session only. */
export interface Person {
  readonly own: OwnParty;
  readonly prekeys: PrekeySecrets;
}

/** A new person; keys of their own at every call. */
export async function person(): Promise<Person> {
  const signing = await generateSigning(true);
  const dh = await generateDh(true);
  const own = {
    certificate: {
      id: await sha256(concat(signing.publicKey, dh.publicKey)),
      signingKey: signing.publicKey,
      dhKey: dh.publicKey,
    },
    signing,
    dh,
  };
  const { secrets } = await addOneTimePrekeys(await createPrekeys(NOW), 1);
  return { own, prekeys: secrets };
}

/** Two people with a session between them: Alice has started it, Bob has opened one letter. */
export interface Pair {
  readonly alice: Person;
  readonly bob: Person;
  readonly atAlice: Session;
  readonly atBob: Session;
}

/** A session that `from` starts with `to`, by their one-time prekey. */
export async function start(from: Person, to: Person): Promise<Session> {
  const bundle = await parseBundle(
    await publishBundle(to.own, to.prekeys),
    to.own.certificate,
  );
  const oneTime = to.prekeys.oneTime[0]!;
  return await startSession(from.own, to.own.certificate, bundle, {
    id: oneTime.id,
    publicKey: oneTime.dhPublic,
  });
}

/** Alice has written once, Bob has read it. */
export async function pair(): Promise<Pair> {
  const [alice, bob] = await Promise.all([person(), person()]);
  const first = await sealMessage(await start(alice, bob), alice.own, say("a"));
  const { session } = await acceptSession(
    bob.own,
    alice.own.certificate,
    bob.prekeys,
    first.letter,
  );
  return { alice, bob, atAlice: first.session, atBob: session };
}

/** Alice has written, Bob has read and answered, Alice has read that. */
export async function answeredPair(): Promise<Pair> {
  const { alice, bob, atAlice, atBob } = await pair();
  const answer = await sealMessage(atBob, bob.own, say("b"));
  const opened = await openLetter(
    atAlice,
    alice.own,
    bob.own.certificate,
    answer.letter,
  );
  return { alice, bob, atAlice: opened.session, atBob: answer.session };
}

/** A TEXT of one part whose payload is `text`. */
export function say(text: string): OutgoingMessage {
  return {
    type: MessageType.TEXT,
    flags: 0,
    payload: new TextEncoder().encode(text),
  };
}

/** `bytes` with bit `bit` (from the front) flipped. */
export function flipped(bytes: Bytes, bit: number): Bytes {
  const copy = bytes.slice();
  copy[bit >> 3]! ^= 0x80 >> (bit & 7);
  return copy;
}

/**
 * Points of low order on Curve25519 and its twist, in all their encodings below 2^255 (RFC 7748 §7):
 * an agreement with one would give zero whatever the private key.
 */
export const LOW_ORDER_POINTS: readonly Bytes[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => Uint8Array.fromHex(hex));

/**
 * The `code` of the error that `action` ends in.
 *
 * @throws {Error} if it ends well, or in an error without a code.
 */
export async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Error && "code" in error) return String(error.code);
    throw error;
  }
  throw new Error("Cannot name the refusal: nothing was refused");
}
