import type { Bytes } from "../../protocol/mod.ts";
import {
  concat,
  ED25519_BYTES,
  equalConstantTime,
  exportDh,
  exportJwk,
  exportRsa,
  exportSigning,
  importDh,
  importRsa,
  importSigning,
  MalformedError,
  RSA_SPKI_BYTES,
} from "../../protocol/mod.ts";
import { decryptsOwn } from "../key_pairs.ts";
import { checkRsaKey, rsaKeyOf } from "../public_keys.ts";
import { fromBase64url } from "./base64url.ts";
import type {
  ExchangedPrivateKey,
  ExchangedPublicKey,
} from "./exchanged_key.ts";

/** Before 32 raw bytes these make a SubjectPublicKeyInfo (RFC 8410 §4). */
const ED25519_SPKI = Uint8Array.fromHex("302a300506032b6570032100");
const X25519_SPKI = Uint8Array.fromHex("302a300506032b656e032100");

/** Before 32 raw bytes these make a PKCS#8 (RFC 8410 §7). */
const ED25519_PKCS8 = Uint8Array.fromHex("302e020100300506032b657004220420");
const X25519_PKCS8 = Uint8Array.fromHex("302e020100300506032b656e04220420");

/** In a PKCS#8 of an RSA key these follow the outer tag and length: version 0, rsaEncryption, NULL. */
const RSA_PKCS8_AT_4 = Uint8Array.fromHex(
  "020100300d06092a864886f70d0101010500",
);

/** A public key as DER SubjectPublicKeyInfo (RFC 5280 §4.1), 44 or 422 bytes. */
export function encodeSpki({ use, key }: ExchangedPublicKey): Bytes {
  if (use === "encryption") return key;
  return concat(use === "signing" ? ED25519_SPKI : X25519_SPKI, key);
}

/**
 * Inverse of `encodeSpki`.
 *
 * @throws {MalformedError} if `der` is no Ed25519, X25519 or 3,072-bit RSA key.
 */
export function parseSpki(der: Bytes): ExchangedPublicKey {
  const signing = behind(der, ED25519_SPKI);
  if (signing !== undefined) return { use: "signing", key: signing };
  const agreement = behind(der, X25519_SPKI);
  if (agreement !== undefined) return { use: "agreement", key: agreement };
  if (der.length !== RSA_SPKI_BYTES) throw unknownKey("public");
  checkRsaKey(der);
  return { use: "encryption", key: der };
}

/** A private key as DER PKCS#8 (RFC 5958), 48 or about 1,793 bytes. */
export async function encodePkcs8(key: ExchangedPrivateKey): Promise<Bytes> {
  switch (key.use) {
    case "signing":
      return concat(ED25519_PKCS8, await exportSigning(key.pair));
    case "agreement":
      return concat(X25519_PKCS8, await exportDh(key.pair));
    case "encryption":
      return await exportRsa(key.pair);
  }
}

/**
 * Inverse of `encodePkcs8`; the public half is computed from the private one.
 *
 * @throws {MalformedError} if `der` is no Ed25519, X25519 or 3,072-bit RSA key with exponent 65,537.
 */
export async function parsePkcs8(der: Bytes): Promise<ExchangedPrivateKey> {
  const seed = behind(der, ED25519_PKCS8);
  if (seed !== undefined) return await signingKeyOf(seed);
  const scalar = behind(der, X25519_PKCS8);
  if (scalar !== undefined) {
    return { use: "agreement", pair: await importDh(scalar, true) };
  }
  const algorithm = der.subarray(4, 4 + RSA_PKCS8_AT_4.length);
  if (!equalConstantTime(algorithm, RSA_PKCS8_AT_4)) {
    throw unknownKey("private");
  }
  return await rsaKeyOfPkcs8(der);
}

/** The Ed25519 pair of a seed (32 bytes). */
export async function signingKeyOf(seed: Bytes): Promise<ExchangedPrivateKey> {
  const unknown = new Uint8Array(ED25519_BYTES);
  const { privateKey } = await importSigning(seed, unknown, true);
  const { x } = await exportJwk(privateKey);
  const publicKey = fromBase64url(x);
  return { use: "signing", pair: { publicKey, privateKey } };
}

/** The pair of an extractable RSA private key, proven to fit together. */
export async function rsaPairOf(
  privateKey: CryptoKey,
): Promise<ExchangedPrivateKey> {
  const { n, e } = await exportJwk(privateKey);
  if (e !== "AQAB") throw unknownKey("private");
  const pair = { publicKey: rsaKeyOf(fromBase64url(n)), privateKey };
  if (!await decryptsOwn(pair)) {
    throw new MalformedError(
      "Cannot read an RSA private key: its numbers do not fit together",
    );
  }
  return { use: "encryption", pair };
}

async function rsaKeyOfPkcs8(der: Bytes): Promise<ExchangedPrivateKey> {
  const unknown = new Uint8Array(RSA_SPKI_BYTES);
  let privateKey: CryptoKey;
  try {
    ({ privateKey } = await importRsa(der, unknown, true));
  } catch (cause) {
    throw new MalformedError("Cannot read an RSA private key: it is none", {
      cause,
    });
  }
  return await rsaPairOf(privateKey);
}

/** The 32 bytes behind `prefix`, if `der` is exactly that. */
function behind(der: Bytes, prefix: Bytes): Bytes | undefined {
  return der.length === prefix.length + 32 &&
      equalConstantTime(der.subarray(0, prefix.length), prefix)
    ? der.slice(prefix.length)
    : undefined;
}

function unknownKey(half: "public" | "private"): MalformedError {
  return new MalformedError(
    `Cannot read a ${half} key: it is not Ed25519, X25519 or RSA of 3,072 bits with exponent 65,537`,
  );
}
