import { MalformedError } from "./malformed_error.ts";

/** The byte string of this project: backed by a plain `ArrayBuffer`, as WebCrypto demands. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
// A byte order mark is kept: without it two byte strings would read as one text.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The UTF-8 encoding of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/**
 * The text that `bytes` encode, which encodes to the same bytes again.
 *
 * @throws {MalformedError} if they are not valid UTF-8.
 */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new MalformedError("Cannot read a text: it is not UTF-8", { cause });
  }
}

/** All `parts` behind each other, in a new array. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Whether `a` and `b` hold the same bytes, looking at every byte whatever they hold. The lengths are
 * public. JavaScript promises nothing about timing; this avoids the early exit, which is what an
 * attacker over a network can see.
 */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** `value` as 4 bytes, big-endian. */
export function u32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** `value` as 8 bytes, big-endian. */
export function u64(value: bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}
