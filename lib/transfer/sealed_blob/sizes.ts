import { AEAD_TAG_BYTES, MalformedError } from "../../protocol/mod.ts";

/** Specification constants (c2sp.org/chunked-encryption). */

/** Length in bytes of the salt, with which a header begins. */
export const SALT_BYTES = 24;
/** Length in bytes of the commitment to key and context, with which a header ends. */
export const COMMITMENT_BYTES = 32;
/** Length in bytes of a header: salt ‖ commitment. */
export const HEADER_BYTES: number = SALT_BYTES + COMMITMENT_BYTES;
/** Plaintext of a chunk in bytes; that of the last chunk is shorter, maybe empty. */
export const CHUNK_BYTES = 16_384;
/** Length in bytes of a sealed chunk that is not the last. */
export const SEALED_CHUNK_BYTES: number = CHUNK_BYTES + AEAD_TAG_BYTES;
/** Most chunks of a blob, the last one counted. */
export const CHUNK_LIMIT: number = 2 ** 38;

/**
 * Length in bytes of all sealed chunks of a plaintext, without the header.
 *
 * @param plaintextLength in bytes, below 2^52.
 * @throws {RangeError} if no blob can hold a plaintext of this length.
 */
export function sealedLength(plaintextLength: number): number {
  const full = Math.floor(plaintextLength / CHUNK_BYTES);
  if (
    !Number.isSafeInteger(plaintextLength) || plaintextLength < 0 ||
    full >= CHUNK_LIMIT
  ) {
    throw new RangeError(`Cannot seal ${plaintextLength} bytes: no such blob`);
  }
  return plaintextLength + (full + 1) * AEAD_TAG_BYTES;
}

/**
 * Length in bytes of the plaintext in sealed chunks; the inverse of `sealedLength`.
 *
 * @param sealedLength of all sealed chunks in bytes, without the header.
 * @throws {MalformedError} if no plaintext has sealed chunks of this length.
 */
export function plaintextLength(sealedLength: number): number {
  const full = Math.floor(sealedLength / SEALED_CHUNK_BYTES);
  const last = sealedLength - full * SEALED_CHUNK_BYTES;
  if (
    !Number.isSafeInteger(sealedLength) || sealedLength < 0 ||
    full >= CHUNK_LIMIT || last < AEAD_TAG_BYTES
  ) {
    throw new MalformedError(
      `Cannot open a sealed blob: ${sealedLength} bytes are not its length`,
    );
  }
  return full * CHUNK_BYTES + last - AEAD_TAG_BYTES;
}
