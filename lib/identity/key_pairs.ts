import type {
  Bytes,
  DhKeyPair,
  Reader,
  RsaKeyPair,
  SigningKeyPair,
  Writer,
} from "../protocol/mod.ts";
import {
  ED25519_BYTES,
  equalConstantTime,
  exportDh,
  exportRsa,
  exportSigning,
  generateDh,
  generateRsa,
  generateSigning,
  importDh,
  importRsa,
  importSigning,
  MalformedError,
  randomBytes,
  rsaDecrypt,
  rsaEncrypt,
  sign,
  utf8,
  verify,
  X25519_BYTES,
} from "../protocol/mod.ts";
import type { PublicKeys } from "./public_keys.ts";

/** The three pairs of a keyring, private halves extractable. */
export interface KeyPairs {
  /** Ed25519: signs. */
  readonly signing: SigningKeyPair;
  /** X25519: agrees on keys. */
  readonly dh: DhKeyPair;
  /** RSA-OAEP, 3,072 bits: decrypts. */
  readonly rsa: RsaKeyPair;
}

/** Longest PKCS#8 of an RSA key that is read, in bytes; one of 3,072 bits takes about 1,793. */
const PKCS8_LIMIT = 2048;

const PROOF = utf8("sotto key pair check v1");

/** Three new pairs; the RSA one takes around half a second. */
export async function generateKeyPairs(): Promise<KeyPairs> {
  const [signing, dh, rsa] = await Promise.all([
    generateSigning(true),
    generateDh(true),
    generateRsa(true),
  ]);
  return { signing, dh, rsa };
}

/** The public halves of `pairs`. */
export function publicKeysOf(pairs: KeyPairs): PublicKeys {
  return {
    signingKey: pairs.signing.publicKey,
    dhKey: pairs.dh.publicKey,
    rsaKey: pairs.rsa.publicKey,
  };
}

/**
 * Appends the private halves: Ed25519 seed (32 bytes), X25519 key (32), RSA as PKCS#8 behind its
 * length (2 bytes).
 *
 * @throws {CryptoError} if a private half is not extractable.
 */
export async function writePrivateKeys(
  writer: Writer,
  pairs: KeyPairs,
): Promise<void> {
  const seed = await exportSigning(pairs.signing);
  const scalar = await exportDh(pairs.dh);
  const pkcs8 = await exportRsa(pairs.rsa);
  writer.bytes(seed).bytes(scalar).prefixed(2, pkcs8);
}

/**
 * Reads what `writePrivateKeys` wrote.
 *
 * @throws {MalformedError} if it does not parse or a private half does not belong to `expected`.
 */
export async function readPrivateKeys(
  reader: Reader,
  expected: PublicKeys,
): Promise<KeyPairs> {
  const seed = reader.take(ED25519_BYTES);
  const scalar = reader.take(X25519_BYTES);
  const pkcs8 = reader.prefixed(2, PKCS8_LIMIT);
  return await pairKeys({ seed, scalar, pkcs8 }, expected);
}

/** Private halves as bytes. */
export interface PrivateKeyBytes {
  /** Ed25519, 32 bytes. */
  readonly seed: Bytes;
  /** X25519, 32 bytes. */
  readonly scalar: Bytes;
  /** RSA as PKCS#8, DER. */
  readonly pkcs8: Bytes;
}

/**
 * Joins private halves with the public ones they are said to belong to, and proves it: a signature
 * verifies, the X25519 public halves are equal, and what is encrypted to the RSA key comes back.
 *
 * @throws {MalformedError} if a private half is none or belongs to another public one.
 */
export async function pairKeys(
  secrets: PrivateKeyBytes,
  expected: PublicKeys,
): Promise<KeyPairs> {
  try {
    const signing = await importSigning(
      secrets.seed,
      expected.signingKey,
      true,
    );
    const dh = await importDh(secrets.scalar, true);
    const rsa = await importRsa(secrets.pkcs8, expected.rsaKey, true);
    if (
      await signs(signing) && equalConstantTime(dh.publicKey, expected.dhKey) &&
      await decryptsOwn(rsa)
    ) {
      return { signing, dh, rsa };
    }
  } catch (cause) {
    throw new MalformedError("Cannot read a keyring: a private key is none", {
      cause,
    });
  }
  throw new MalformedError(
    "Cannot read a keyring: a private key does not belong to its public key",
  );
}

async function signs(pair: SigningKeyPair): Promise<boolean> {
  const signature = await sign(pair.privateKey, PROOF);
  return await verify(pair.publicKey, signature, PROOF);
}

/** Whether what is encrypted to the public half of `pair` comes back by its private half. */
export async function decryptsOwn(pair: RsaKeyPair): Promise<boolean> {
  const probe = randomBytes(32);
  const sealed = await rsaEncrypt(pair.publicKey, probe, PROOF);
  try {
    return equalConstantTime(
      await rsaDecrypt(pair.privateKey, sealed, PROOF),
      probe,
    );
  } catch {
    // A foreign private key fails the padding check; that is an answer here, not an error.
    return false;
  }
}
