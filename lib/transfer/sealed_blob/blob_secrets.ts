import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  concat,
  CryptoError,
  hkdfExpandSha512,
  utf8,
} from "../../protocol/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { COMMITMENT_BYTES } from "./sizes.ts";

/** Length in bytes of the key that a blob's secrets are derived from. */
export const INPUT_KEY_BYTES = 32;

const LABEL = utf8("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0");

/** What a blob is sealed with (c2sp.org/chunked-encryption, Cobblestone-256). */
export interface BlobSecrets {
  /** AES-256-GCM, 32 bytes. */
  readonly key: Bytes;
  /** 12 bytes; the nonce of a chunk is this XOR its index. */
  readonly baseNonce: Bytes;
  /** 32 bytes, public: no other key and no other context has it. */
  readonly commitment: Bytes;
}

/**
 * Derives the secrets of the blob that has this salt.
 *
 * @param inputKey 32 bytes, uniformly random.
 * @param context what the blob is bound to, of any length.
 * @param salt 24 bytes.
 * @throws {CryptoError} if the input key has another length.
 */
export async function deriveBlobSecrets(
  inputKey: Bytes,
  context: Bytes,
  salt: Bytes,
): Promise<BlobSecrets> {
  if (inputKey.length !== INPUT_KEY_BYTES) {
    throw new CryptoError(
      `Cannot derive the key of a blob: the input key has ${inputKey.length} bytes, not ${INPUT_KEY_BYTES}`,
    );
  }
  const commitmentAt = AEAD_KEY_BYTES + AEAD_NONCE_BYTES;
  const secrets = await hkdfExpandSha512(
    inputKey,
    concat(LABEL, salt, context),
    commitmentAt + COMMITMENT_BYTES,
  );
  return {
    key: secrets.subarray(0, AEAD_KEY_BYTES),
    baseNonce: secrets.subarray(AEAD_KEY_BYTES, commitmentAt),
    commitment: secrets.subarray(commitmentAt),
  };
}
