import type { Bytes } from "../bytes/bytes.ts";
import { concat } from "../bytes/bytes.ts";
import { randomBytes } from "./random.ts";
import { attempt, subtle } from "./subtle.ts";
import { PKCS8_PREFIX, X25519_BYTES } from "./x25519.ts";
import type { DhKeyPair } from "./x25519.ts";

/**
 * X25519 and the HKDF behind it for those who agree on thousands of keys: as few WebCrypto calls as
 * there can be, and the dear ones, the scalar multiplications, beside the caller's thread.
 */

/** The base point u = 9 (RFC 7748 §4.1) as a key, imported once. */
let basePoint: Promise<CryptoKey> | undefined;

/**
 * A new X25519 pair, to be used once: what `generateDh` gives, but that blocks the thread for the time of
 * a scalar multiplication. Private keys are 32 random bytes (RFC 7748 §6.1).
 */
export function ephemeralDh(): Promise<DhKeyPair> {
  return attempt("make an X25519 key", async () => {
    const privateKey = await subtle.importKey(
      "pkcs8",
      concat(PKCS8_PREFIX, randomBytes(X25519_BYTES)),
      "X25519",
      false,
      ["deriveBits"],
    );
    const publicKey = await subtle.deriveBits(
      { name: "X25519", public: await importBasePoint() },
      privateKey,
      256,
    );
    return { publicKey: new Uint8Array(publicKey), privateKey };
  });
}

/**
 * HKDF-SHA-256 (RFC 5869) of the X25519 secret of the two keys.
 *
 * @param length of the output in bytes.
 * @throws {CryptoError} if `publicKey` is not 32 bytes or has low order (RFC 7748 §6.1).
 */
export function agree(
  privateKey: CryptoKey,
  publicKey: Bytes,
  salt: Bytes,
  info: Bytes,
  length: number,
): Promise<Bytes> {
  return attempt("agree on a key by X25519", async () => {
    const peer = await importPublic(publicKey);
    const secret = await subtle.deriveBits(
      { name: "X25519", public: peer },
      privateKey,
      256,
    );
    const key = await subtle.importKey("raw", secret, "HKDF", false, [
      "deriveBits",
    ]);
    const derived = await subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt, info },
      key,
      length * 8,
    );
    return new Uint8Array(derived);
  });
}

function importBasePoint(): Promise<CryptoKey> {
  const base = new Uint8Array(X25519_BYTES);
  base[0] = 9;
  return basePoint ??= importPublic(base);
}

function importPublic(publicKey: Bytes): Promise<CryptoKey> {
  return subtle.importKey("raw", publicKey, "X25519", true, []);
}
