import type { Bytes } from "../bytes/bytes.ts";
import { subtle } from "./subtle.ts";

/** Length in bytes of what SHA-256 gives. */
export const HASH_BYTES = 32;

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
