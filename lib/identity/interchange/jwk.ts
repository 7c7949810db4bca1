import type { Bytes } from "../../protocol/mod.ts";
import {
  ED25519_BYTES,
  equalConstantTime,
  exportDh,
  exportJwk,
  exportSigning,
  importDh,
  importRsaJwk,
  MalformedError,
  sha256,
  utf8,
} from "../../protocol/mod.ts";
import { modulusOf, rsaKeyOf } from "../public_keys.ts";
import { fromBase64url, toBase64url } from "./base64url.ts";
import { rsaPairOf, signingKeyOf } from "./der.ts";
import type {
  ExchangedPrivateKey,
  ExchangedPublicKey,
  KeyUse,
} from "./exchanged_key.ts";

/** A JSON Web Key (RFC 7517). */
export type Jwk = Readonly<Record<string, unknown>>;

/** The members of a private RSA key, in base64url (RFC 7518 §6.3.2). */
const RSA_PRIVATE = ["d", "p", "q", "dp", "dq", "qi"] as const;

/** A public key as JWK (RFC 7518 §6.3.1, RFC 8037 §2), its thumbprint as `kid`. */
export async function encodePublicJwk(key: ExchangedPublicKey): Promise<Jwk> {
  const members = key.use === "encryption"
    ? {
      kty: "RSA",
      alg: "RSA-OAEP-256",
      n: toBase64url(modulusOf(key.key)),
      e: "AQAB",
    }
    : { kty: "OKP", crv: curveOf(key.use), x: toBase64url(key.key) };
  const kid = toBase64url(await jwkThumbprint(members));
  return { ...members, use: useOf(key.use), kid };
}

/** A private key as JWK, the members of the public one included. */
export async function encodePrivateJwk(key: ExchangedPrivateKey): Promise<Jwk> {
  const { use, pair } = key;
  const shown = await encodePublicJwk({ use, key: pair.publicKey });
  switch (use) {
    case "signing":
      return { ...shown, d: toBase64url(await exportSigning(key.pair)) };
    case "agreement":
      return { ...shown, d: toBase64url(await exportDh(key.pair)) };
    case "encryption": {
      const whole = await exportJwk(pair.privateKey);
      const hidden = RSA_PRIVATE.map((name) => [name, whole[name]]);
      return { ...shown, ...Object.fromEntries(hidden) };
    }
  }
}

/**
 * Reads a public key; members that are not known are passed over (RFC 7517 §4). A private key is
 * refused here: whoever hands one over as public should learn of it.
 *
 * @throws {MalformedError} if it is no Ed25519, X25519 or 3,072-bit RSA key, or is for another use.
 */
export function parsePublicJwk(jwk: Jwk): ExchangedPublicKey {
  if ("d" in jwk) throw malformed("it is a private key");
  return publicPart(jwk);
}

/**
 * Reads a private key and checks that its public members belong to it.
 *
 * @throws {MalformedError} as `parsePublicJwk`, or if the members do not fit together.
 */
export async function parsePrivateJwk(jwk: Jwk): Promise<ExchangedPrivateKey> {
  const { use, key } = publicPart(jwk);
  const parsed = await privatePart(use, jwk);
  if (!equalConstantTime(parsed.pair.publicKey, key)) {
    throw malformed("its private and public members do not fit together");
  }
  return parsed;
}

/** The thumbprint of a key (RFC 7638 §3, RFC 8037 §2), 32 bytes; it depends on the public key only. */
export function jwkThumbprint(jwk: Jwk): Promise<Bytes> {
  const { kty, crv, x, n, e } = jwk;
  // The order of the members and the absence of white space are what RFC 7638 §3.3 prescribes.
  const required = kty === "RSA" ? { e, kty, n } : { crv, kty, x };
  return sha256(utf8(JSON.stringify(required)));
}

/**
 * Reads the text of a JWK, or of a JWK Set (RFC 7517 §5) with all its keys.
 *
 * @throws {MalformedError} if it is neither.
 */
export function parseJwkText(text: string): Jwk[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What the parser says may quote a private key, so it is not kept as the cause.
    throw malformed("it is not JSON");
  }
  if (!isObject(value)) throw malformed("it is not a JSON object");
  const { keys } = value;
  if (keys === undefined) return [value];
  if (!Array.isArray(keys) || !keys.every(isObject)) {
    throw malformed("its keys are no list of JSON objects");
  }
  return keys;
}

async function privatePart(
  use: KeyUse,
  jwk: Jwk,
): Promise<ExchangedPrivateKey> {
  try {
    if (use === "signing") return await signingKeyOf(raw(jwk["d"]));
    if (use === "agreement") {
      return { use, pair: await importDh(raw(jwk["d"]), true) };
    }
    return await rsaPairOf(await importRsaJwk(rsaMembers(jwk), true));
  } catch (cause) {
    if (cause instanceof MalformedError) throw cause;
    throw new MalformedError("Cannot read a JWK: it is no private key", {
      cause,
    });
  }
}

/** Only the numbers: what else the key says of itself must not steer how it is imported. */
function rsaMembers(jwk: Jwk): JsonWebKey {
  if ("oth" in jwk) throw malformed("it has more than two primes");
  const members: JsonWebKey = { kty: "RSA" };
  for (const name of ["n", "e", ...RSA_PRIVATE] as const) {
    members[name] = toBase64url(fromBase64url(jwk[name]));
  }
  return members;
}

function publicPart(jwk: Jwk): ExchangedPublicKey {
  const key = keyOf(jwk);
  if (jwk["use"] !== undefined && jwk["use"] !== useOf(key.use)) {
    throw malformed("it is for another use");
  }
  return key;
}

function keyOf(jwk: Jwk): ExchangedPublicKey {
  const { kty, crv } = jwk;
  if (kty === "OKP" && crv === "Ed25519") {
    return { use: "signing", key: raw(jwk["x"]) };
  }
  if (kty === "OKP" && crv === "X25519") {
    return { use: "agreement", key: raw(jwk["x"]) };
  }
  if (kty === "RSA" && jwk["e"] === "AQAB") {
    return { use: "encryption", key: rsaKeyOf(fromBase64url(jwk["n"])) };
  }
  throw malformed(
    "it is not Ed25519, X25519 or RSA of 3,072 bits with exponent 65,537",
  );
}

/** Keys of both curves, public and private, are 32 bytes. */
function raw(value: unknown): Bytes {
  const bytes = fromBase64url(value);
  if (bytes.length !== ED25519_BYTES) {
    throw malformed(`a key of ${bytes.length} bytes, not ${ED25519_BYTES}`);
  }
  return bytes;
}

function curveOf(use: "signing" | "agreement"): string {
  return use === "signing" ? "Ed25519" : "X25519";
}

function useOf(use: KeyUse): string {
  return use === "signing" ? "sig" : "enc";
}

function isObject(value: unknown): value is Jwk {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read a JWK: ${seen}`);
}
