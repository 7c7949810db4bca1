import { MalformedError, Reader, Writer } from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { readSequenceSet, writeSequenceSet } from "../peer/mod.ts";
import type { SequenceSet } from "../peer/mod.ts";
import { INITIAL_BLOCK_BYTES, SESSION_ID_BYTES } from "./pqxdh.ts";
import { decodeRatchetState, encodeRatchetState } from "./ratchet_state.ts";
import type { RatchetState } from "./ratchet_state.ts";

const VERSION = 1;
/** Above what 2,000 kept keys and everything else take. */
const RATCHET_LIMIT = 256 * 1024;

/** One end-to-end session between two people, as one of them holds it. A value, never changed. */
export interface Session {
  /** Id of the peer's certificate, 32 bytes. */
  readonly peer: Bytes;
  /** Names the session in the open, 8 bytes. */
  readonly id: Bytes;
  /** Initiator's certificate id ‖ responder's, 64 bytes. */
  readonly associated: Bytes;
  /** The initial block (1,164 bytes) while letters must repeat it: until the peer's first answer. */
  readonly opening: Bytes | null;
  /** The state of the Double Ratchet. */
  readonly ratchet: RatchetState;
  /** Number of the next numbered message, from 1. */
  readonly nextSeq: number;
  /** Numbers of the peer's messages that have arrived. */
  readonly received: SequenceSet;
  /** Numbers of one's own messages that the peer says have arrived. */
  readonly delivered: SequenceSet;
}

/** For the vault. It holds keys and must be sealed before it is written anywhere. */
export function encodeSession(session: Session): Bytes {
  const writer = new Writer(2_048)
    .u8(VERSION)
    .u8(session.opening === null ? 0 : 1)
    .bytes(session.peer)
    .bytes(session.id)
    .bytes(session.associated);
  if (session.opening !== null) writer.bytes(session.opening);
  writer.u32(session.nextSeq);
  writeSequenceSet(writer, session.received);
  writeSequenceSet(writer, session.delivered);
  return writer.prefixed(4, encodeRatchetState(session.ratchet)).done();
}

/**
 * Inverse of `encodeSession`.
 *
 * @throws {MalformedError} if the bytes are not its output.
 */
export function decodeSession(bytes: Uint8Array): Session {
  const reader = new Reader(bytes);
  const version = reader.u8();
  const opening = reader.u8();
  if (version !== VERSION || opening > 1) {
    throw new MalformedError(
      `Cannot read a session: version ${version}, opening ${opening}`,
    );
  }
  const session: Session = {
    peer: reader.take(32),
    id: reader.take(SESSION_ID_BYTES),
    associated: reader.take(64),
    opening: opening === 1 ? reader.take(INITIAL_BLOCK_BYTES) : null,
    nextSeq: reader.u32(),
    received: readSequenceSet(reader),
    delivered: readSequenceSet(reader),
    ratchet: decodeRatchetState(reader.prefixed(4, RATCHET_LIMIT)),
  };
  reader.end();
  return session;
}
