/**
 * The primitives of SPEC.md §1.1 on another library than the one the project uses, except for the two
 * that this library does not have: ML-KEM-768 and Argon2id.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign as signNode,
  verify as verifyNode,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { argon2id } from "../../lib/protocol/crypto/argon2id.ts";

/** The byte string that everything here takes and gives. */
export type Octets = Uint8Array<ArrayBuffer>;

/** A private key with its public half, both raw. */
export interface RawPair {
  readonly secret: Octets;
  readonly open: Octets;
}

/** `text` in UTF-8. */
export function ascii(text: string): Octets {
  return plain(Buffer.from(text, "utf8"));
}

/** Parts behind each other. */
export function join(...parts: readonly Uint8Array[]): Octets {
  return plain(Buffer.concat(parts));
}

/** `value` in `size` bytes, most significant first. */
export function unsigned(size: number, value: number | bigint): Octets {
  const digits = BigInt(value).toString(16).padStart(size * 2, "0");
  if (digits.length > size * 2) throw new Error(`${value} in ${size} bytes`);
  return plain(Buffer.from(digits, "hex"));
}

/** Inverse of `unsigned`. */
export function toBig(bytes: Uint8Array): bigint {
  return bytes.length === 0
    ? 0n
    : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** `count` random bytes. */
export function random(count: number): Octets {
  return plain(randomBytes(count));
}

/** SHA256(x). */
export function sha256(...parts: readonly Uint8Array[]): Octets {
  return plain(createHash("sha256").update(join(...parts)).digest());
}

/** HKDF(secret, salt, info, n). */
export function hkdf(
  secret: Uint8Array,
  salt: Uint8Array,
  info: string | Uint8Array,
  length: number,
): Octets {
  const bytes = typeof info === "string" ? ascii(info) : info;
  return plain(Buffer.from(hkdfSync("sha256", secret, salt, bytes, length)));
}

/** HMAC(key, x). */
export function hmac(key: Uint8Array, x: Uint8Array): Octets {
  return plain(createHmac("sha256", key).update(x).digest());
}

/** HKDF-Expand with SHA-512 (RFC 5869 §2.3). */
export function expandSha512(
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Octets {
  let okm: Octets = new Uint8Array(0);
  let block: Octets = new Uint8Array(0);
  for (let i = 1; okm.length < length; i++) {
    const input = join(block, info, unsigned(1, i));
    block = plain(createHmac("sha512", prk).update(input).digest());
    okm = join(okm, block);
  }
  return okm.slice(0, length);
}

/** SEAL(key, nonce, plaintext, aad). */
export function seal(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Octets {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(aad);
  return join(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

/** OPEN(key, nonce, sealed, aad); throws if anything differs. */
export function open(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Octets {
  const end = sealed.length - 16;
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.slice(end));
  return join(decipher.update(sealed.slice(0, end)), decipher.final());
}

/** LAYER(key, nonce, plaintext). */
export function layer(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
): Octets {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, LAYER_TAG);
  return join(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

/** Its inverse; throws if anything differs. */
export function openLayer(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
): Octets {
  const end = sealed.length - 16;
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, LAYER_TAG);
  decipher.setAuthTag(sealed.slice(end));
  return join(decipher.update(sealed.slice(0, end)), decipher.final());
}

const LAYER_TAG = { authTagLength: 16 } as const;
const PKCS8 = "302e020100300506032b65";
const SPKI = "302a300506032b65";

function privateKey(kind: "6e" | "70", raw: Uint8Array): KeyObject {
  const der = Buffer.concat([
    Buffer.from(`${PKCS8}${kind}04220420`, "hex"),
    raw,
  ]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function publicKey(kind: "6e" | "70", raw: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from(`${SPKI}${kind}032100`, "hex"), raw]);
  return createPublicKey({ key: der, format: "der", type: "spki" });
}

function pairOf(kind: "6e" | "70", secret: Octets): RawPair {
  const der = createPublicKey(privateKey(kind, secret))
    .export({ type: "spki", format: "der" });
  return { secret, open: plain(der).slice(-32) };
}

/** A new X25519 pair, or that of `secret`. */
export function x25519Pair(secret: Octets = random(32)): RawPair {
  return pairOf("6e", secret);
}

/** A new Ed25519 pair, or that of the seed `secret`. */
export function ed25519Pair(secret: Octets = random(32)): RawPair {
  return pairOf("70", secret);
}

/** DH(private, public). */
export function dh(secret: Uint8Array, other: Uint8Array): Octets {
  return plain(
    diffieHellman({
      privateKey: privateKey("6e", secret),
      publicKey: publicKey("6e", other),
    }),
  );
}

/** SIGN(private, x). */
export function sign(secret: Uint8Array, message: Uint8Array): Octets {
  return plain(signNode(null, message, privateKey("70", secret)));
}

/** Whether `signature` is that of `signer` over `message`. */
export function verify(
  signer: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): boolean {
  return verifyNode(null, message, publicKey("70", signer), signature);
}

const OAEP = {
  oaepHash: "sha256",
  padding: constants.RSA_PKCS1_OAEP_PADDING,
} as const;

/** RSA(public, x, label). */
export function rsaSeal(
  spki: Uint8Array,
  plaintext: Uint8Array,
  label: Uint8Array,
): Octets {
  const key = createPublicKey({
    key: Buffer.from(spki),
    format: "der",
    type: "spki",
  });
  return plain(
    publicEncrypt({ key, ...OAEP, oaepLabel: Buffer.from(label) }, plaintext),
  );
}

/** Its inverse, by a private key in PKCS#8. */
export function rsaOpen(
  pkcs8: Uint8Array,
  sealed: Uint8Array,
  label: Uint8Array,
): Octets {
  const key = createPrivateKey({
    key: Buffer.from(pkcs8),
    format: "der",
    type: "pkcs8",
  });
  return plain(
    privateDecrypt({ key, ...OAEP, oaepLabel: Buffer.from(label) }, sealed),
  );
}

/** ARGON2ID(p, salt, m, t, n). */
export function argon2(
  secret: Octets,
  salt: Octets,
  memoryKiB: number,
  passes: number,
  length: number,
): Promise<Octets> {
  return argon2id(secret, salt, { memoryKiB, passes }, length);
}

function plain(bytes: Uint8Array): Octets {
  return new Uint8Array(bytes);
}
