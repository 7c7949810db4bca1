import { Reader, Writer, X25519_BYTES } from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";

/** Length of a ratchet header in bytes. */
export const RATCHET_HEADER_BYTES: number = X25519_BYTES + 4 + 4;

/** What a letter says about its key (Double Ratchet §3.1, HEADER). */
export interface RatchetHeader {
  /** The sender's ratchet key (X25519, 32 bytes): names the chain. */
  readonly key: Bytes;
  /** How many letters the sender's previous chain had. */
  readonly previous: number;
  /** Number of the letter in its chain, from 0. */
  readonly number: number;
}

/** X25519 key 32 ‖ previous u32 ‖ number u32. */
export function encodeRatchetHeader(header: RatchetHeader): Bytes {
  return new Writer(RATCHET_HEADER_BYTES)
    .bytes(header.key)
    .u32(header.previous)
    .u32(header.number)
    .done();
}

/**
 * Inverse of `encodeRatchetHeader`.
 *
 * @throws {MalformedError} if the bytes are not 40.
 */
export function parseRatchetHeader(bytes: Uint8Array): RatchetHeader {
  const reader = new Reader(bytes);
  const header: RatchetHeader = {
    key: reader.take(X25519_BYTES),
    previous: reader.u32(),
    number: reader.u32(),
  };
  reader.end();
  return header;
}
