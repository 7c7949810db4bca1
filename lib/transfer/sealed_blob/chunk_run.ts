import { AEAD_TAG_BYTES, MalformedError } from "../../protocol/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import type { BlobKey } from "./blob_key.ts";
import { CHUNK_BYTES, plaintextLength, SEALED_CHUNK_BYTES } from "./sizes.ts";

/**
 * Seals a run of consecutive chunks, all at once. The input is taken when the call is made: changing
 * it later changes nothing.
 *
 * @param firstIndex of the run's first chunk in the blob.
 * @param plaintext full chunks, n × 16,384 bytes; with `last`, of any length.
 * @param last whether the blob ends with this run: then a short chunk, maybe an empty one, ends it.
 * @param into where the result goes, if a buffer is at hand: new memory for every run costs a seventh
 * of the speed.
 * @returns the sealed chunks behind each other.
 * @throws {RangeError} if the run is not the last and its last chunk is not full, or `into` is too
 * small.
 */
export async function sealRun(
  key: BlobKey,
  firstIndex: number,
  plaintext: Bytes,
  last: boolean,
  into?: Bytes,
): Promise<Bytes> {
  const full = Math.floor(plaintext.length / CHUNK_BYTES);
  if (!last && plaintext.length !== full * CHUNK_BYTES) {
    throw new RangeError(
      `Cannot seal a run: ${plaintext.length} bytes are no full chunks`,
    );
  }
  const chunks = last ? full + 1 : full;
  const sealed = space(plaintext.length + chunks * AEAD_TAG_BYTES, into);
  const place = async (k: number): Promise<void> => {
    const at = k * CHUNK_BYTES;
    const chunk = plaintext.subarray(at, at + CHUNK_BYTES);
    sealed.set(
      await key.sealChunk(firstIndex + k, chunk),
      k * SEALED_CHUNK_BYTES,
    );
  };
  await Promise.all(Array.from({ length: chunks }, (_, k) => place(k)));
  return sealed;
}

/**
 * Inverse of `sealRun`. Whatever comes of it, no call is under way any more when it has.
 *
 * @param firstIndex of the run's first chunk in the blob.
 * @param sealed chunks behind each other.
 * @param last whether the blob ends with this run.
 * @param into where the result goes, if a buffer is at hand. After an error it holds what nobody
 * should use.
 * @throws {MalformedError} if no run has this length.
 * @throws {CryptoError} if a chunk is not what was sealed at its index.
 * @throws {RangeError} if `into` is too small.
 */
export async function openRun(
  key: BlobKey,
  firstIndex: number,
  sealed: Bytes,
  last: boolean,
  into?: Bytes,
): Promise<Bytes> {
  const full = Math.floor(sealed.length / SEALED_CHUNK_BYTES);
  if (!last && sealed.length !== full * SEALED_CHUNK_BYTES) {
    throw new MalformedError(
      `Cannot open a run: ${sealed.length} bytes are no full chunks`,
    );
  }
  const length = last ? plaintextLength(sealed.length) : full * CHUNK_BYTES;
  const plaintext = space(length, into);
  const place = async (k: number): Promise<void> => {
    const at = k * SEALED_CHUNK_BYTES;
    const chunk = sealed.subarray(at, at + SEALED_CHUNK_BYTES);
    const end = last && k === full;
    plaintext.set(
      await key.openChunk(firstIndex + k, chunk, end),
      k * CHUNK_BYTES,
    );
  };
  const chunks = last ? full + 1 : full;
  const outcomes = await Promise.allSettled(
    Array.from({ length: chunks }, (_, k) => place(k)),
  );
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
  return plaintext;
}

/** `length` bytes to write into: the beginning of `into`, or new. */
function space(length: number, into: Bytes | undefined): Bytes {
  if (into === undefined) return new Uint8Array(length);
  if (into.length < length) {
    throw new RangeError(
      `Cannot hold a run: ${length} bytes in ${into.length} of space`,
    );
  }
  return into.subarray(0, length);
}
