import type { Bytes } from "../bytes/bytes.ts";
import { concat } from "../bytes/bytes.ts";
import { attempt, subtle } from "./subtle.ts";

/** Length in bytes of a public key and of a private seed (RFC 8032 §5.1). */
export const ED25519_BYTES = 32;
/** Length of a signature in bytes. */
export const SIGNATURE_BYTES = 64;

/** WebCrypto takes private keys only as PKCS#8; for 32-byte seeds that is this prefix (RFC 8410 §7). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");

/** A key pair: the public half as 32 raw bytes, the private half as a key. */
export interface SigningKeyPair {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** The private half. */
  readonly privateKey: CryptoKey;
}

/** A new Ed25519 pair. Only an extractable one can be kept on disk. */
export async function generateSigning(
  extractable = false,
): Promise<SigningKeyPair> {
  const pair = await subtle.generateKey(
    { name: "Ed25519" },
    extractable,
    ["sign", "verify"],
  ) as CryptoKeyPair;
  return {
    publicKey: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)),
    privateKey: pair.privateKey,
  };
}

/** The private key whose seed is `raw` (32 bytes), with its public half, which the caller knows. */
export async function importSigning(
  raw: Bytes,
  publicKey: Bytes,
  extractable = false,
): Promise<SigningKeyPair> {
  const pkcs8 = concat(PKCS8_PREFIX, raw);
  return {
    publicKey,
    privateKey: await attempt(
      "import an Ed25519 private key",
      () => subtle.importKey("pkcs8", pkcs8, "Ed25519", extractable, ["sign"]),
    ),
  };
}

/** The 32-byte seed of an extractable private key. */
export async function exportSigning(pair: SigningKeyPair): Promise<Bytes> {
  const pkcs8 = await attempt(
    "export an Ed25519 private key",
    () => subtle.exportKey("pkcs8", pair.privateKey),
  );
  return new Uint8Array(pkcs8).slice(PKCS8_PREFIX.length);
}

/** Prepares a raw public key (32 bytes) for many verifications. */
export function importVerifying(publicKey: Bytes): Promise<CryptoKey> {
  return attempt(
    "import an Ed25519 public key",
    () => subtle.importKey("raw", publicKey, "Ed25519", true, ["verify"]),
  );
}

/** Signs `message`: 64 bytes. */
export async function sign(
  privateKey: CryptoKey,
  message: Bytes,
): Promise<Bytes> {
  return new Uint8Array(await subtle.sign("Ed25519", privateKey, message));
}

/** Whether `signature` is the key's over `message`. `key` is a raw public key or an imported one. */
export async function verify(
  key: CryptoKey | Bytes,
  signature: Bytes,
  message: Bytes,
): Promise<boolean> {
  const imported = key instanceof CryptoKey ? key : await importVerifying(key);
  return await subtle.verify("Ed25519", imported, signature, message);
}
