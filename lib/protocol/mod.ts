/**
 * The shared protocol module: bytes, cryptography, commands, handshakes and channels. Every service
 * and every role speaks through it. It does not open sockets, keep files or read clocks.
 *
 * @module
 */
export {
  concat,
  equalConstantTime,
  fromUtf8,
  u32,
  u64,
  utf8,
} from "./bytes/bytes.ts";
export { MalformedError, Reader } from "./bytes/reader.ts";
export { Writer } from "./bytes/writer.ts";
export { CryptoError } from "./crypto/subtle.ts";
export { randomBytes } from "./crypto/random.ts";
export {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  importAead,
  open,
  seal,
} from "./crypto/aead.ts";
export { HASH_BYTES, hkdfSha256, hmacSha256, sha256 } from "./crypto/hash.ts";
export {
  dh,
  exportDh,
  generateDh,
  importDh,
  X25519_BYTES,
} from "./crypto/x25519.ts";
export {
  decapsulate,
  encapsulate,
  exportKem,
  generateKem,
  importKem,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  KEM_SECRET_BYTES,
  KEM_SEED_BYTES,
} from "./crypto/ml_kem.ts";
export {
  ED25519_BYTES,
  exportSigning,
  generateSigning,
  importSigning,
  importVerifying,
  sign,
  SIGNATURE_BYTES,
  verify,
} from "./crypto/ed25519.ts";
export {
  exportRsa,
  generateRsa,
  importRsa,
  RSA_CIPHERTEXT_BYTES,
  RSA_PLAINTEXT_LIMIT,
  RSA_SPKI_BYTES,
  rsaDecrypt,
  rsaEncrypt,
} from "./crypto/rsa_oaep.ts";
export { argon2id } from "./crypto/argon2id.ts";

export type { Bytes } from "./bytes/bytes.ts";
export type { DhKeyPair } from "./crypto/x25519.ts";
export type { KemKeyPair } from "./crypto/ml_kem.ts";
export type { SigningKeyPair } from "./crypto/ed25519.ts";
export type { RsaKeyPair } from "./crypto/rsa_oaep.ts";
export type { Argon2Cost } from "./crypto/argon2id.ts";
