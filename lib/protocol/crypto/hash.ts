import { concat } from "../bytes/bytes.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { Writer } from "../bytes/writer.ts";
import { subtle } from "./subtle.ts";

/** Length in bytes of what SHA-256 gives. */
export const HASH_BYTES = 32;

/** Length in bytes of what SHA-512 gives. */
const SHA512_BYTES = 64;
/** HKDF gives at most this many hash lengths: its counter is one byte (RFC 5869 §2.3). */
const EXPAND_BLOCKS = 255;

/** SHA-256 (FIPS 180-4): 32 bytes. */
export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle.digest("SHA-256", data));
}

/** HMAC-SHA-256 (RFC 2104): 32 bytes. `key` must not be empty. */
export async function hmacSha256(key: Bytes, data: Bytes): Promise<Bytes> {
  const imported = await subtle.importKey(
    "raw",
    key,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return new Uint8Array(await subtle.sign("HMAC", imported, data));
}

/**
 * A block of what is derived from a secret of a key agreement: SHA-256(counter u32 ‖ secret ‖ info), the
 * one-step key derivation of NIST SP 800-56C rev. 2 §4.1. It takes one call to WebCrypto where HKDF takes
 * two, for those who make thousands of keys in a second.
 *
 * @param secret of a length that is always the same.
 * @param info what the key is for and who agreed on it, of a length that is always the same.
 * @param counter of the block, from 1 on.
 * @returns 32 bytes.
 */
export function oneStepKdf(
  secret: Bytes,
  info: Bytes,
  counter: number,
): Promise<Bytes> {
  return sha256(
    new Writer(4 + secret.length + info.length).u32(counter)
      .bytes(secret).bytes(info).done(),
  );
}

/**
 * HKDF-SHA-256 (RFC 5869), extract and expand.
 *
 * @param length of the output in bytes, at most 8,160.
 */
export async function hkdfSha256(
  secret: Bytes,
  salt: Bytes,
  info: Bytes,
  length: number,
): Promise<Bytes> {
  const key = await subtle.importKey("raw", secret, "HKDF", false, [
    "deriveBits",
  ]);
  return new Uint8Array(
    await subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt, info },
      key,
      length * 8,
    ),
  );
}

/**
 * HKDF-Expand with SHA-512 (RFC 5869 §2.3), without the extract step that WebCrypto's HKDF always
 * takes: for a secret that is uniformly random already.
 *
 * @param prk the pseudorandom key; must not be empty.
 * @param length of the output in bytes, at most 16,320.
 * @throws {RangeError} if `length` is none.
 */
export async function hkdfExpandSha512(
  prk: Bytes,
  info: Bytes,
  length: number,
): Promise<Bytes> {
  const limit = EXPAND_BLOCKS * SHA512_BYTES;
  if (!Number.isInteger(length) || length < 0 || length > limit) {
    throw new RangeError(
      `Cannot expand a key to ${length} bytes: not an integer in 0..${limit}`,
    );
  }
  const key = await subtle.importKey(
    "raw",
    prk,
    { name: "HMAC", hash: "SHA-512" },
    false,
    ["sign"],
  );
  const output = new Uint8Array(length);
  let block: Bytes = new Uint8Array(0);
  for (let at = 0; at < length; at += SHA512_BYTES) {
    const counter = at / SHA512_BYTES + 1;
    const input = concat(block, info, Uint8Array.of(counter));
    block = new Uint8Array(await subtle.sign("HMAC", key, input));
    output.set(block.subarray(0, length - at), at);
  }
  return output;
}
