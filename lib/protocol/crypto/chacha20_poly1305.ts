import type { Bytes } from "../bytes/bytes.ts";
import { attempt, subtle } from "./subtle.ts";

/**
 * ChaCha20-Poly1305 (RFC 8439) for the layers of circuits: 32-byte keys, 12-byte nonces, a 16-byte tag
 * behind the ciphertext. It costs a little more than half of what AES-256-GCM does here, and on small
 * boards, whose processors know nothing of AES, a small part.
 */

const NAME = "ChaCha20-Poly1305";

/** Makes a key of `raw` (32 bytes) that can seal and open layers and cannot be read back. */
export function importLayerKey(raw: Bytes): Promise<CryptoKey> {
  return attempt(
    "import a ChaCha20-Poly1305 key",
    () =>
      subtle.importKey("raw-secret", raw, { name: NAME }, false, [
        "encrypt",
        "decrypt",
      ]),
  );
}

/**
 * Encrypts and authenticates. `nonce` (12 bytes) must never repeat under one key.
 *
 * @returns ciphertext ‖ tag, 16 bytes longer than `plaintext`.
 */
export async function sealLayer(
  key: CryptoKey,
  nonce: Bytes,
  plaintext: Bytes,
): Promise<Bytes> {
  return new Uint8Array(
    await subtle.encrypt({ name: NAME, iv: nonce }, key, plaintext),
  );
}

/**
 * Inverse of `sealLayer`.
 *
 * @throws {CryptoError} if anything was altered, or key or nonce differ.
 */
export async function openLayer(
  key: CryptoKey,
  nonce: Bytes,
  sealed: Bytes,
): Promise<Bytes> {
  return new Uint8Array(
    await attempt(
      "open a layer",
      () => subtle.decrypt({ name: NAME, iv: nonce }, key, sealed),
    ),
  );
}
