import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError, Reader } from "../../protocol/mod.ts";
import type { HangUpReason } from "./conversation_event.ts";

/** By their numbers on the wire. */
const REASONS: readonly HangUpReason[] = ["bye", "refused", "busy"];

/** The payload of a HANGUP: the reason's number, 1 byte. */
export function writeHangUp(reason: HangUpReason): Bytes {
  return Uint8Array.of(REASONS.indexOf(reason));
}

/**
 * Inverse of `writeHangUp`.
 *
 * @throws {MalformedError} if it is not its output.
 */
export function readHangUp(payload: Bytes): HangUpReason {
  const reader = new Reader(payload);
  const number = reader.u8();
  reader.end();
  const reason = REASONS[number];
  if (reason === undefined) {
    throw new MalformedError(`Cannot read a goodbye: reason ${number}`);
  }
  return reason;
}
