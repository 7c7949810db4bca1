/**
 * One end-to-end session after its start: ratchet and message numbers, as functions from session to
 * session. It sends nothing and keeps nothing. Who calls it must
 *
 * - let one call at a time work on a session, each on the result of the one before: two seals from
 *   one value would use one key twice;
 * - save what `sealMessage` returns before the letter leaves, and what `openLetter` and
 *   `acceptSession` return before the letter is acknowledged. A call that throws changes nothing.
 *
 * @module
 */
import { concat, equalConstantTime, MalformedError } from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import {
  acknowledge,
  addAcknowledgement,
  addSequences,
  hasSequence,
  highestAcknowledged,
  isNumbered,
  MessageType,
  signPeerMessage,
  verifyPeerMessage,
} from "../peer/mod.ts";
import type { PeerMessage, SequenceSet } from "../peer/mod.ts";
import { SYSTEM_KEYS } from "./key_source.ts";
import { encodeEnvelope, parseLetter } from "./letter.ts";
import type { OwnParty, Party } from "./party.ts";
import { decrypt, encrypt } from "./ratchet.ts";
import { foreignParty, otherSession, SessionError } from "./session_error.ts";
import type { Session } from "./session_state.ts";

/** What to say to the peer. */
export interface OutgoingMessage {
  /** What it is. */
  readonly type: MessageType;
  /** `FLAG_MORE` and `FLAG_CONTINUED` for a TEXT, else 0. */
  readonly flags: number;
  /** At most 399 bytes. */
  readonly payload: Bytes;
  /** The number it had before, to send a message once more; else it gets the next. */
  readonly repeats?: number;
}

/** A letter that was opened. */
export interface OpenedLetter {
  /** The session to go on with. */
  readonly session: Session;
  /** What was inside. */
  readonly message: PeerMessage;
  /** False if a message with this number has arrived before (sent once more by the peer). */
  readonly fresh: boolean;
}

const NUMBER_END = 0xffffffff;

/**
 * Seals one message as a letter: 1,710 bytes until the peer has answered, then 546.
 *
 * @returns the session to go on with, the letter and the message's number (0 if its type has none).
 * @throws {SessionError} `ERR_SESSION_PARTY`, `ERR_SESSION_END`.
 * @throws {RatchetError} `ERR_RATCHET_END`.
 * @throws {RangeError} if the payload is too long, the flags do not fit the type, or the number to
 * repeat was never given.
 */
export async function sealMessage(
  session: Session,
  own: OwnParty,
  outgoing: OutgoingMessage,
  keySourceForTesting = SYSTEM_KEYS,
): Promise<{ session: Session; letter: Bytes; seq: number }> {
  refuseForeign(session, own);
  const { seq, nextSeq } = numberOf(session, outgoing);
  const { type, flags, payload } = outgoing;
  const envelope = (header: Bytes): Bytes =>
    encodeEnvelope({ sessionId: session.id, header, block: session.opening });
  const { state, header, sealed } = await encrypt(
    session.ratchet,
    async (header) => ({
      plaintext: await signPeerMessage(
        own.signing.privateKey,
        signedContext(session, header),
        { type, flags, seq, payload, ...acknowledge(session.received) },
      ),
      associated: concat(envelope(header), session.associated),
    }),
    keySourceForTesting,
  );
  return {
    session: { ...session, ratchet: state, nextSeq },
    letter: concat(envelope(header), sealed),
    seq,
  };
}

/**
 * Opens one letter of the session, in whatever order letters come.
 *
 * @throws {MalformedError} if the bytes are no letter, or what is inside is no message or a RATCHET,
 * which only rounds carry.
 * @throws {SessionError} `ERR_SESSION_PARTY`, `ERR_SESSION_OTHER`, `ERR_SESSION_ACKNOWLEDGEMENT`,
 * `ERR_SESSION_END`.
 * @throws {RatchetError} `ERR_RATCHET_USED` for a duplicate, `ERR_RATCHET_UNOPENED`,
 * `ERR_RATCHET_TOO_FAR`, `ERR_RATCHET_END`.
 * @throws {PeerMessageError} if the peer did not sign what is inside.
 */
export async function openLetter(
  session: Session,
  own: OwnParty,
  peer: Party,
  letterBytes: Uint8Array,
): Promise<OpenedLetter> {
  refuseForeign(session, own, peer);
  const letter = parseLetter(letterBytes);
  if (!equalConstantTime(letter.sessionId, session.id)) throw otherSession();
  const { state, plaintext } = await decrypt(
    session.ratchet,
    letter.header,
    letter.sealed,
    concat(letter.envelope, session.associated),
  );
  const message = await verifyPeerMessage(
    peer.signingKey,
    signedContext(session, letter.header),
    plaintext,
  );
  if (message.type === MessageType.RATCHET) {
    throw new MalformedError(
      "Cannot accept a message: letters carry none of its type",
    );
  }
  if (highestAcknowledged(message) >= session.nextSeq) {
    throw new SessionError(
      "ERR_SESSION_ACKNOWLEDGEMENT",
      "Cannot accept a message: it acknowledges what was never sent",
    );
  }
  return {
    session: {
      ...session,
      // Whoever answers has the session; the initial block need not be repeated.
      opening: null,
      ratchet: state,
      received: withReceived(session, message.seq),
      delivered: addAcknowledgement(session.delivered, message),
    },
    message,
    fresh: message.seq === 0 || !hasSequence(session.received, message.seq),
  };
}

/** Whether the peer has said that message `seq` arrived. */
export function isDelivered(session: Session, seq: number): boolean {
  return hasSequence(session.delivered, seq);
}

/** The message's number and the next one after it. */
function numberOf(
  session: Session,
  { type, repeats }: OutgoingMessage,
): { seq: number; nextSeq: number } {
  const { nextSeq } = session;
  if (repeats !== undefined) {
    if (!isNumbered(type) || repeats < 1 || repeats >= nextSeq) {
      throw new RangeError(
        `Cannot repeat a message: number ${repeats} was never given to one of its type`,
      );
    }
    return { seq: repeats, nextSeq };
  }
  if (!isNumbered(type)) return { seq: 0, nextSeq };
  if (nextSeq >= NUMBER_END) {
    throw new SessionError(
      "ERR_SESSION_END",
      "Cannot seal a message: the session has no number left",
    );
  }
  return { seq: nextSeq, nextSeq: nextSeq + 1 };
}

function withReceived(session: Session, seq: number): SequenceSet {
  if (seq === 0) return session.received;
  try {
    return addSequences(session.received, seq, seq);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new SessionError(
      "ERR_SESSION_END",
      "Cannot accept a message: too many before it are missing",
      { cause },
    );
  }
}

/** What a message's signature stands for besides the message: session id, place in it, the two people. */
function signedContext(session: Session, header: Bytes): Bytes {
  return concat(session.id, header, session.associated);
}

/** Both people's ids are in the associated data, which makes theirs the only session they can use. */
function refuseForeign(session: Session, own: OwnParty, peer?: Party): void {
  const started = concat(own.certificate.id, session.peer);
  const accepted = concat(session.peer, own.certificate.id);
  if (
    !equalConstantTime(session.associated, started) &&
    !equalConstantTime(session.associated, accepted)
  ) {
    throw foreignParty("the keyring is another's");
  }
  if (peer !== undefined && !equalConstantTime(peer.id, session.peer)) {
    throw foreignParty("the certificate is another's");
  }
}
