import type { Bytes, Reader, Writer } from "../protocol/mod.ts";
import {
  concat,
  ED25519_BYTES,
  equalConstantTime,
  MalformedError,
  RSA_SPKI_BYTES,
  X25519_BYTES,
} from "../protocol/mod.ts";

/** The public half of a keyring: one key for each of the three jobs. */
export interface PublicKeys {
  /** Ed25519, 32 bytes: verifies what the holder signed. */
  readonly signingKey: Bytes;
  /** X25519, 32 bytes: agrees on keys with the holder. */
  readonly dhKey: Bytes;
  /** RSA-OAEP, 3,072 bits, as DER SubjectPublicKeyInfo, 422 bytes: encrypts to the holder. */
  readonly rsaKey: Bytes;
}

/** What `writePublicKeys` writes: 486 bytes. */
export const PUBLIC_KEYS_BYTES: number = ED25519_BYTES + X25519_BYTES +
  RSA_SPKI_BYTES;

/**
 * Around a 3,072-bit modulus a SubjectPublicKeyInfo (RFC 8017 §A.1.1, RFC 5280 §4.1) with exponent
 * 65,537 is always these bytes. Comparing them refuses other sizes, other exponents and other ways to
 * encode the same key, without a DER parser.
 */
const SPKI_HEAD = Uint8Array.fromHex(
  "308201a2300d06092a864886f70d01010105000382018f003082018a0282018100",
);
const SPKI_TAIL = Uint8Array.fromHex("0203010001");

/** Appends the three keys, 486 bytes. */
export function writePublicKeys(writer: Writer, keys: PublicKeys): void {
  writer.bytes(keys.signingKey).bytes(keys.dhKey).bytes(keys.rsaKey);
}

/**
 * Inverse of `writePublicKeys`.
 *
 * @throws {MalformedError} if bytes are missing or the RSA key is not of the one accepted form.
 */
export function readPublicKeys(reader: Reader): PublicKeys {
  const signingKey = reader.take(ED25519_BYTES);
  const dhKey = reader.take(X25519_BYTES);
  const rsaKey = reader.take(RSA_SPKI_BYTES);
  checkRsaKey(rsaKey);
  return { signingKey, dhKey, rsaKey };
}

/**
 * Insists that `spki` is a 3,072-bit RSA key with exponent 65,537 in its one DER encoding.
 *
 * @throws {MalformedError} if it is not.
 */
export function checkRsaKey(spki: Bytes): void {
  const modulusEnd = RSA_SPKI_BYTES - SPKI_TAIL.length;
  const fits = spki.length === RSA_SPKI_BYTES &&
    equalConstantTime(spki.subarray(0, SPKI_HEAD.length), SPKI_HEAD) &&
    equalConstantTime(spki.subarray(modulusEnd), SPKI_TAIL) &&
    // The modulus has its highest bit, so that it is of 3,072 bits, and is odd.
    (spki[SPKI_HEAD.length]! & 0x80) !== 0 && (spki[modulusEnd - 1]! & 1) !== 0;
  if (!fits) {
    throw new MalformedError(
      "Cannot read an RSA key: it is not 3,072 bits with exponent 65,537 as DER SubjectPublicKeyInfo",
    );
  }
}

/** The 384 bytes of the modulus of an RSA key in the accepted form. */
export function modulusOf(spki: Bytes): Bytes {
  checkRsaKey(spki);
  return spki.slice(SPKI_HEAD.length, RSA_SPKI_BYTES - SPKI_TAIL.length);
}

/**
 * The SubjectPublicKeyInfo of the RSA key with this modulus and exponent 65,537.
 *
 * @throws {MalformedError} if `modulus` is not an odd number of 3,072 bits in 384 bytes.
 */
export function rsaKeyOf(modulus: Bytes): Bytes {
  const spki = concat(SPKI_HEAD, modulus, SPKI_TAIL);
  checkRsaKey(spki);
  return spki;
}
