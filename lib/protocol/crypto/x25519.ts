import type { Bytes } from "../bytes/bytes.ts";
import { concat } from "../bytes/bytes.ts";
import { attempt, subtle } from "./subtle.ts";

/** Length in bytes of public keys, private keys and shared secrets (RFC 7748). */
export const X25519_BYTES = 32;

/**
 * WebCrypto takes raw public X25519 keys but private ones only as PKCS#8; for 32-byte keys that is
 * this constant prefix (RFC 8410 §7).
 */
export const PKCS8_PREFIX: Bytes = Uint8Array.fromHex(
  "302e020100300506032b656e04220420",
);

/** A key pair: the public half as 32 raw bytes, the private half as a key. */
export interface DhKeyPair {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** The private half. */
  readonly privateKey: CryptoKey;
}

/** A new X25519 pair. Only an extractable one can be kept on disk. */
export async function generateDh(extractable = false): Promise<DhKeyPair> {
  const pair = await subtle.generateKey(
    { name: "X25519" },
    extractable,
    ["deriveBits"],
  ) as CryptoKeyPair;
  return {
    publicKey: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)),
    privateKey: pair.privateKey,
  };
}

/** The pair whose private half is `raw` (32 bytes). */
export async function importDh(
  raw: Bytes,
  extractable = false,
): Promise<DhKeyPair> {
  const pkcs8 = concat(PKCS8_PREFIX, raw);
  const privateKey = await attempt(
    "import an X25519 private key",
    () =>
      subtle.importKey("pkcs8", pkcs8, "X25519", extractable, ["deriveBits"]),
  );
  // The public half is the private one applied to the base point u = 9 (RFC 7748 §6.1).
  const base = new Uint8Array(X25519_BYTES);
  base[0] = 9;
  return { publicKey: await dh(privateKey, base), privateKey };
}

/** The 32 raw bytes of an extractable private key. */
export async function exportDh(pair: DhKeyPair): Promise<Bytes> {
  const pkcs8 = await attempt(
    "export an X25519 private key",
    () => subtle.exportKey("pkcs8", pair.privateKey),
  );
  return new Uint8Array(pkcs8).slice(PKCS8_PREFIX.length);
}

/**
 * The shared secret (32 bytes) of a private key and a raw public key.
 *
 * @throws {CryptoError} if `publicKey` is not 32 bytes or has low order (the result would be zero,
 * RFC 7748 §6.1).
 */
export async function dh(
  privateKey: CryptoKey,
  publicKey: Bytes,
): Promise<Bytes> {
  return new Uint8Array(
    await attempt("agree on a key by X25519", async () => {
      const peer = await subtle.importKey("raw", publicKey, "X25519", true, []);
      return await subtle.deriveBits(
        { name: "X25519", public: peer },
        privateKey,
        256,
      );
    }),
  );
}
