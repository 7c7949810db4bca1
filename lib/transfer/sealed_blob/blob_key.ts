import {
  AEAD_TAG_BYTES,
  concat,
  CryptoError,
  equalConstantTime,
  importAead,
  MalformedError,
  open,
  randomBytes,
  seal,
} from "../../protocol/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { deriveBlobSecrets } from "./blob_secrets.ts";
import {
  CHUNK_BYTES,
  CHUNK_LIMIT,
  HEADER_BYTES,
  SALT_BYTES,
  SEALED_CHUNK_BYTES,
} from "./sizes.ts";

/**
 * Seals and opens the chunks of one blob, in any order and many at once
 * (c2sp.org/chunked-encryption, Cobblestone-256: AES-256-GCM in chunks of 16 KiB).
 *
 * A chunk that opens is the one that was sealed at its index, and the last one shows that nothing was
 * cut off. Whoever opens single chunks knows nothing of those that it did not open.
 *
 * The nonce of a chunk follows from its index. Sealing the same bytes again gives the same sealed
 * chunk; sealing other bytes at an index that was used already, under the same header, reveals both
 * and lets anybody forge. What may have changed since needs a key that is created anew.
 */
export class BlobKey {
  /** 56 bytes, public: 24 of salt, 32 of commitment to key and context. */
  readonly header: Bytes;
  readonly #key: CryptoKey;
  readonly #baseNonce: Bytes;

  private constructor(header: Bytes, key: CryptoKey, baseNonce: Bytes) {
    this.header = header;
    this.#key = key;
    this.#baseNonce = baseNonce;
  }

  /**
   * The key of a new blob.
   *
   * @param inputKey 32 bytes, uniformly random.
   * @param context what the blob is bound to, of any length.
   * @param salt 24 bytes that no other blob with this input key and context has.
   * @throws {CryptoError} if the input key has another length.
   */
  static async create(
    inputKey: Bytes,
    context: Bytes,
    salt: Bytes = randomBytes(SALT_BYTES),
  ): Promise<BlobKey> {
    if (salt.length !== SALT_BYTES) {
      throw new RangeError(
        `Cannot create the key of a blob: the salt has ${salt.length} bytes, not ${SALT_BYTES}`,
      );
    }
    const kept = salt.slice();
    const { key, baseNonce, commitment } = await deriveBlobSecrets(
      inputKey,
      context,
      kept,
    );
    return new BlobKey(
      concat(kept, commitment),
      await importAead(key),
      baseNonce,
    );
  }

  /**
   * The key of the blob that has this header.
   *
   * @param inputKey 32 bytes.
   * @param context what the blob is bound to, of any length.
   * @param header 56 bytes.
   * @throws {MalformedError} if the header has another length.
   * @throws {CryptoError} if the input key has another length, or the header does not commit to
   * this key and context.
   */
  static async open(
    inputKey: Bytes,
    context: Bytes,
    header: Bytes,
  ): Promise<BlobKey> {
    if (header.length !== HEADER_BYTES) {
      throw new MalformedError(
        `Cannot open a sealed blob: its header has ${header.length} bytes, not ${HEADER_BYTES}`,
      );
    }
    const kept = header.slice();
    const blob = await BlobKey.create(
      inputKey,
      context,
      kept.subarray(0, SALT_BYTES),
    );
    if (!equalConstantTime(blob.header, kept)) {
      throw new CryptoError(
        "Cannot open a sealed blob: its header is for another key or context",
      );
    }
    return blob;
  }

  /**
   * Seals chunk `index` (from 0).
   *
   * @param plaintext 16,384 bytes, or fewer in the last chunk.
   * @returns ciphertext ‖ tag, 16 bytes longer than `plaintext`.
   */
  async sealChunk(index: number, plaintext: Bytes): Promise<Bytes> {
    if (plaintext.length > CHUNK_BYTES) {
      throw new RangeError(
        `Cannot seal a chunk: ${plaintext.length} bytes, at most ${CHUNK_BYTES} fit`,
      );
    }
    return await seal(this.#key, this.#nonce(index), plaintext);
  }

  /**
   * Inverse of `sealChunk`.
   *
   * @param index of the chunk, from 0.
   * @param sealed 16,400 bytes; 16 to 16,399 if it is the last.
   * @param last whether it is the last.
   * @throws {MalformedError} if it has another length.
   * @throws {CryptoError} if it is not what was sealed at this index.
   */
  async openChunk(
    index: number,
    sealed: Bytes,
    last: boolean,
  ): Promise<Bytes> {
    const { length } = sealed;
    const fits = last
      ? length >= AEAD_TAG_BYTES && length < SEALED_CHUNK_BYTES
      : length === SEALED_CHUNK_BYTES;
    if (!fits) {
      throw new MalformedError(
        `Cannot open a sealed chunk: ${length} bytes${
          last ? " at the end" : ""
        }`,
      );
    }
    return await open(this.#key, this.#nonce(index), sealed);
  }

  /** The base nonce XOR `index`, which is big-endian in the last bytes. */
  #nonce(index: number): Bytes {
    if (!Number.isInteger(index) || index < 0 || index >= CHUNK_LIMIT) {
      throw new RangeError(`Cannot use chunk ${index}: no blob has it`);
    }
    const nonce = this.#baseNonce.slice();
    let rest = index;
    for (let at = nonce.length - 1; rest > 0; at--) {
      nonce[at]! ^= rest % 256;
      rest = Math.floor(rest / 256);
    }
    return nonce;
  }
}
