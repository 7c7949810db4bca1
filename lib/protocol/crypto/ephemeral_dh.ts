import { concat } from "../bytes/bytes.ts";
import { randomBytes } from "./random.ts";
import { attempt, subtle } from "./subtle.ts";
import { PKCS8_PREFIX, X25519_BYTES } from "./x25519.ts";
import type { DhKeyPair } from "./x25519.ts";

/** The base point u = 9 (RFC 7748 §4.1) as a key, imported once. */
let basePoint: Promise<CryptoKey> | undefined;

/**
 * A new X25519 pair, to be used once, for those who make thousands: what `generateDh` gives, but that blocks
 * the thread for the time of a scalar multiplication. Private keys are 32 random bytes (RFC 7748 §6.1).
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

function importBasePoint(): Promise<CryptoKey> {
  const base = new Uint8Array(X25519_BYTES);
  base[0] = 9;
  return basePoint ??= subtle.importKey("raw", base, "X25519", true, []);
}
