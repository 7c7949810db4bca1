import {
  AEAD_TAG_BYTES,
  MalformedError,
  Reader,
  Writer,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { PEER_MESSAGE_BYTES } from "../peer/mod.ts";
import { INITIAL_BLOCK_BYTES, SESSION_ID_BYTES } from "./pqxdh.ts";
import { RATCHET_HEADER_BYTES } from "./ratchet_header.ts";

const VERSION = 1;
const KIND_OPENING = 0;
const KIND_FOLLOWING = 1;
const SEALED_BYTES = PEER_MESSAGE_BYTES + AEAD_TAG_BYTES;

/** Length of a letter in bytes that does not open a session: 546. */
export const FOLLOWING_LETTER_BYTES: number = 2 + SESSION_ID_BYTES +
  RATCHET_HEADER_BYTES + SEALED_BYTES;
/** Length of a letter in bytes that opens a session: 1,710. */
export const OPENING_LETTER_BYTES: number = FOLLOWING_LETTER_BYTES +
  INITIAL_BLOCK_BYTES;

/** What a letter says in the open. */
export interface Envelope {
  /** Names the session, 8 bytes. */
  readonly sessionId: Bytes;
  /** Ratchet header, 40 bytes. */
  readonly header: Bytes;
  /** Initial block (1,164 bytes) of a letter that opens a session, else null. */
  readonly block: Bytes | null;
}

/** A letter taken apart. */
export interface Letter extends Envelope {
  /** The encoded envelope: everything before the seal, which authenticates it. */
  readonly envelope: Bytes;
  /** The sealed message, 496 bytes. */
  readonly sealed: Bytes;
}

/** version u8 ‖ kind u8 ‖ session id 8 ‖ ratchet header 40 ‖ [initial block 1,164]. */
export function encodeEnvelope(envelope: Envelope): Bytes {
  const writer = new Writer(OPENING_LETTER_BYTES)
    .u8(VERSION)
    .u8(envelope.block === null ? KIND_FOLLOWING : KIND_OPENING)
    .bytes(envelope.sessionId)
    .bytes(envelope.header);
  if (envelope.block !== null) writer.bytes(envelope.block);
  return writer.done();
}

/**
 * Takes a letter apart: envelope ‖ sealed message 496. Nothing in it is authentic yet.
 *
 * @throws {MalformedError} if the bytes are no letter of one of the two sizes.
 */
export function parseLetter(bytes: Uint8Array): Letter {
  const reader = new Reader(bytes);
  const version = reader.u8();
  const kind = reader.u8();
  if (version !== VERSION || kind > KIND_FOLLOWING) {
    throw new MalformedError(
      `Cannot read a letter: version ${version}, kind ${kind}`,
    );
  }
  const sessionId = reader.take(SESSION_ID_BYTES);
  const header = reader.take(RATCHET_HEADER_BYTES);
  const block = kind === KIND_OPENING ? reader.take(INITIAL_BLOCK_BYTES) : null;
  const sealed = reader.take(SEALED_BYTES);
  reader.end();
  return {
    sessionId,
    header,
    block,
    envelope: new Uint8Array(bytes.subarray(0, bytes.length - SEALED_BYTES)),
    sealed,
  };
}
