import type { Bytes } from "../bytes/bytes.ts";
import { attempt, subtle } from "./subtle.ts";

/** AES-256-GCM (NIST SP 800-38D): 32-byte keys, 12-byte nonces, a 16-byte tag behind the ciphertext. */
export const AEAD_KEY_BYTES = 32;
/** Length of a nonce in bytes. */
export const AEAD_NONCE_BYTES = 12;
/** Length of a tag in bytes. */
export const AEAD_TAG_BYTES = 16;

const NOTHING = new Uint8Array(0);

/** Makes a key of `raw` (32 bytes) that can seal and open and cannot be read back. */
export function importAead(raw: Bytes): Promise<CryptoKey> {
  return attempt(
    "import an AES-256-GCM key",
    () =>
      subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]),
  );
}

/**
 * Encrypts and authenticates. `nonce` (12 bytes) must never repeat under one key.
 *
 * @returns ciphertext ‖ tag, 16 bytes longer than `plaintext`.
 */
export async function seal(
  key: CryptoKey,
  nonce: Bytes,
  plaintext: Bytes,
  associated: Bytes = NOTHING,
): Promise<Bytes> {
  return new Uint8Array(
    await subtle.encrypt(
      { name: "AES-GCM", iv: nonce, additionalData: associated },
      key,
      plaintext,
    ),
  );
}

/**
 * Inverse of `seal`.
 *
 * @throws {CryptoError} if anything was altered, or key, nonce or associated data differ.
 */
export async function open(
  key: CryptoKey,
  nonce: Bytes,
  sealed: Bytes,
  associated: Bytes = NOTHING,
): Promise<Bytes> {
  return new Uint8Array(
    await attempt("open a sealed message", () =>
      subtle.decrypt(
        { name: "AES-GCM", iv: nonce, additionalData: associated },
        key,
        sealed,
      )),
  );
}
