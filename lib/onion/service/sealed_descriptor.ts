import type { Bytes } from "../../protocol/mod.ts";
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  concat,
  hkdfSha256,
  importAead,
  MalformedError,
  open,
  randomBytes,
  seal,
  utf8,
} from "../../protocol/mod.ts";
import { BLOB_BYTES } from "./service_message.ts";

/**
 * A service descriptor as relays keep it (SPEC.md §12.8; rend-spec-v3 §2.5): sealed under a key that only
 * those can make who know the address, and always of one length. Relays cannot tell what they keep, and
 * so cannot tell either who may write it: whether it is the service's, its signature inside says.
 */

const LABEL = utf8("sotto service seal v1");
/** Longest descriptor that fits, in bytes. */
export const SEALED_LIMIT = BLOB_BYTES - AEAD_NONCE_BYTES - AEAD_TAG_BYTES;

/**
 * Seals a descriptor: nonce (12) ‖ descriptor and zeros, encrypted ‖ tag (16), with the index as
 * associated data.
 *
 * @param fingerprint of the service, 32 bytes.
 * @param index under which it will lie, 32 bytes.
 * @throws {RangeError} if it is too long.
 */
export async function sealDescriptor(
  descriptor: Bytes,
  fingerprint: Bytes,
  index: Bytes,
): Promise<Bytes> {
  if (descriptor.length > SEALED_LIMIT) {
    throw new RangeError(
      `Cannot seal a descriptor: ${descriptor.length} bytes`,
    );
  }
  const padded = new Uint8Array(SEALED_LIMIT);
  padded.set(descriptor);
  const nonce = randomBytes(AEAD_NONCE_BYTES);
  const key = await keyOf(fingerprint, index);
  return concat(nonce, await seal(key, nonce, padded, index));
}

/**
 * Inverse of `sealDescriptor`: the descriptor with the zeros behind it.
 *
 * @throws {MalformedError | CryptoError} if it was not sealed by somebody who knows the address, for
 * this index.
 */
export async function openDescriptor(
  blob: Bytes,
  fingerprint: Bytes,
  index: Bytes,
): Promise<Bytes> {
  if (blob.length !== BLOB_BYTES) {
    throw new MalformedError(`Cannot open a descriptor: ${blob.length} bytes`);
  }
  const nonce = blob.slice(0, AEAD_NONCE_BYTES);
  const key = await keyOf(fingerprint, index);
  return await open(key, nonce, blob.slice(AEAD_NONCE_BYTES), index);
}

async function keyOf(fingerprint: Bytes, index: Bytes): Promise<CryptoKey> {
  return await importAead(
    await hkdfSha256(fingerprint, index, LABEL, AEAD_KEY_BYTES),
  );
}
