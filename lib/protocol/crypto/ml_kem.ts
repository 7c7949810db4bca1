import type { Bytes } from "../bytes/bytes.ts";
import { attempt, subtle } from "./subtle.ts";

const ALGORITHM = { name: "ML-KEM-768" } as const;

/** ML-KEM-768 (FIPS 203 §8): length of an encapsulation key in bytes. */
export const KEM_PUBLIC_BYTES = 1184;
/** Length of a ciphertext in bytes. */
export const KEM_CIPHERTEXT_BYTES = 1088;
/** Length of the seed (d ‖ z) that stands for a decapsulation key, in bytes. */
export const KEM_SEED_BYTES = 64;
/** Length of the shared secret in bytes. */
export const KEM_SECRET_BYTES = 32;

/** A key pair: the encapsulation key as 1,184 raw bytes, the decapsulation key as a key. */
export interface KemKeyPair {
  /** The encapsulation key, 1,184 bytes. */
  readonly publicKey: Bytes;
  /** The private half. */
  readonly privateKey: CryptoKey;
}

/** A shared secret and what its peer recovers it from. */
export interface Encapsulated {
  /** 32 bytes. */
  readonly secret: Bytes;
  /** 1,088 bytes. */
  readonly ciphertext: Bytes;
}

/** A new ML-KEM-768 pair. Only an extractable one can be kept on disk. */
export async function generateKem(extractable = false): Promise<KemKeyPair> {
  const pair = await subtle.generateKey(ALGORITHM, extractable, [
    "encapsulateBits",
    "decapsulateBits",
  ]);
  return {
    publicKey: new Uint8Array(
      await subtle.exportKey("raw-public", pair.publicKey),
    ),
    privateKey: pair.privateKey,
  };
}

/** The pair that `seed` (64 bytes) gives. */
export async function importKem(
  seed: Bytes,
  extractable = false,
): Promise<KemKeyPair> {
  return await attempt("import an ML-KEM-768 key", async () => {
    const privateKey = await subtle.importKey(
      "raw-seed",
      seed,
      ALGORITHM,
      extractable,
      ["decapsulateBits"],
    );
    const publicKey = await subtle.getPublicKey(privateKey, [
      "encapsulateBits",
    ]);
    return {
      publicKey: new Uint8Array(
        await subtle.exportKey("raw-public", publicKey),
      ),
      privateKey,
    };
  });
}

/** The 64-byte seed of an extractable pair. */
export async function exportKem(pair: KemKeyPair): Promise<Bytes> {
  return new Uint8Array(
    await attempt(
      "export an ML-KEM-768 key",
      () => subtle.exportKey("raw-seed", pair.privateKey),
    ),
  );
}

/**
 * Makes a shared secret (32 bytes) and the ciphertext (1,088 bytes) from which the holder of the
 * private half recovers it.
 *
 * @throws {CryptoError} if `publicKey` fails the checks of FIPS 203 §7.2.
 */
export async function encapsulate(
  publicKey: Bytes,
): Promise<Encapsulated> {
  return await attempt("encapsulate to an ML-KEM-768 key", async () => {
    const key = await subtle.importKey(
      "raw-public",
      publicKey,
      ALGORITHM,
      false,
      ["encapsulateBits"],
    );
    const { sharedKey, ciphertext } = await subtle.encapsulateBits(
      ALGORITHM,
      key,
    );
    return {
      secret: new Uint8Array(sharedKey),
      ciphertext: new Uint8Array(ciphertext),
    };
  });
}

/**
 * The secret (32 bytes) inside `ciphertext`. An altered ciphertext of the right length gives an
 * unrelated secret, not an error (implicit rejection, FIPS 203 §6.3).
 *
 * @throws {CryptoError} if the ciphertext is not 1,088 bytes.
 */
export async function decapsulate(
  privateKey: CryptoKey,
  ciphertext: Bytes,
): Promise<Bytes> {
  return new Uint8Array(
    await attempt(
      "decapsulate by ML-KEM-768",
      () => subtle.decapsulateBits(ALGORITHM, privateKey, ciphertext),
    ),
  );
}
