import type { Bytes } from "../bytes/bytes.ts";

/** WebCrypto gives at most this many random bytes in a call. */
const CHUNK = 65_536;

/** `length` bytes from the operating system's generator. */
export function randomBytes(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += CHUNK) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(at + CHUNK, length)));
  }
  return bytes;
}
