import type { Bytes } from "../bytes/bytes.ts";
import { attempt, subtle } from "./subtle.ts";

const HASHED = { name: "RSA-OAEP", hash: "SHA-256" } as const;
const PARAMETERS = {
  ...HASHED,
  modulusLength: 3072,
  publicExponent: new Uint8Array([1, 0, 1]),
};

/** RSA-OAEP with a 3,072-bit modulus and SHA-256 (RFC 8017 §7.1): length of a ciphertext in bytes. */
export const RSA_CIPHERTEXT_BYTES = 384;
/** Longest plaintext in bytes: 384 - 2 * 32 - 2. */
export const RSA_PLAINTEXT_LIMIT = 318;
/** Length in bytes of the public key as DER SubjectPublicKeyInfo, for exponent 65,537. */
export const RSA_SPKI_BYTES = 422;

/** A key pair: the public half as DER SubjectPublicKeyInfo (422 bytes), the private half as a key. */
export interface RsaKeyPair {
  /** SubjectPublicKeyInfo, 422 bytes. */
  readonly publicKey: Bytes;
  /** The private half. */
  readonly privateKey: CryptoKey;
}

/** A new pair; takes around half a second. Only an extractable one can be kept on disk. */
export async function generateRsa(extractable = false): Promise<RsaKeyPair> {
  const pair = await subtle.generateKey(PARAMETERS, extractable, [
    "encrypt",
    "decrypt",
  ]);
  return {
    publicKey: new Uint8Array(await subtle.exportKey("spki", pair.publicKey)),
    privateKey: pair.privateKey,
  };
}

/** The private key that `pkcs8` (DER) holds, with its public half, which the caller knows. */
export async function importRsa(
  pkcs8: Bytes,
  publicKey: Bytes,
  extractable = false,
): Promise<RsaKeyPair> {
  return {
    publicKey,
    privateKey: await attempt(
      "import an RSA private key",
      () => subtle.importKey("pkcs8", pkcs8, HASHED, extractable, ["decrypt"]),
    ),
  };
}

/** An extractable private key as PKCS#8 (DER, about 1,793 bytes). */
export async function exportRsa(pair: RsaKeyPair): Promise<Bytes> {
  return new Uint8Array(
    await attempt(
      "export an RSA private key",
      () => subtle.exportKey("pkcs8", pair.privateKey),
    ),
  );
}

/**
 * Encrypts at most 318 bytes to `publicKey` (SPKI); `label` must be given again to decrypt.
 *
 * @returns 384 bytes.
 * @throws {CryptoError} if the key is none, or not one of 3,072 bits.
 */
export async function rsaEncrypt(
  publicKey: Bytes,
  plaintext: Bytes,
  label: Bytes,
): Promise<Bytes> {
  const sealed = new Uint8Array(
    await attempt("encrypt by RSA-OAEP", async () => {
      const key = await subtle.importKey("spki", publicKey, HASHED, true, [
        "encrypt",
      ]);
      const { modulusLength } = key.algorithm as RsaHashedKeyAlgorithm;
      if (modulusLength !== PARAMETERS.modulusLength) {
        throw new RangeError(`modulus of ${modulusLength} bits`);
      }
      return await subtle.encrypt({ name: "RSA-OAEP", label }, key, plaintext);
    }),
  );
  return sealed;
}

/**
 * Inverse of `rsaEncrypt`.
 *
 * @throws {CryptoError} if the ciphertext was made for another key or label, or altered.
 */
export async function rsaDecrypt(
  privateKey: CryptoKey,
  ciphertext: Bytes,
  label: Bytes,
): Promise<Bytes> {
  return new Uint8Array(
    await attempt(
      "decrypt by RSA-OAEP",
      () => subtle.decrypt({ name: "RSA-OAEP", label }, privateKey, ciphertext),
    ),
  );
}
