// What Deno 2.9 implements of the W3C "Modern Algorithms in the Web Cryptography API" draft and
// TypeScript's own library does not describe yet: ML-KEM (FIPS 203), Argon2id (RFC 9106) and
// ChaCha20-Poly1305 (RFC 8439).

type MlKemName = "ML-KEM-512" | "ML-KEM-768" | "ML-KEM-1024";
type KemUsage =
  | "encapsulateKey"
  | "encapsulateBits"
  | "decapsulateKey"
  | "decapsulateBits";

interface Argon2Params extends Algorithm {
  name: "Argon2id";
  nonce: BufferSource;
  /** KiB. */
  memory: number;
  passes: number;
  parallelism: number;
}

interface SubtleCrypto {
  generateKey(
    algorithm: { name: MlKemName },
    extractable: boolean,
    usages: KemUsage[],
  ): Promise<CryptoKeyPair>;
  importKey(
    format: "raw-public" | "raw-seed",
    data: BufferSource,
    algorithm: { name: MlKemName },
    extractable: boolean,
    usages: KemUsage[],
  ): Promise<CryptoKey>;
  importKey(
    format: "raw-secret",
    data: BufferSource,
    algorithm: { name: "Argon2id" | "ChaCha20-Poly1305" },
    extractable: boolean,
    usages: KeyUsage[],
  ): Promise<CryptoKey>;
  encapsulateBits(
    algorithm: { name: MlKemName },
    key: CryptoKey,
  ): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
  decapsulateBits(
    algorithm: { name: MlKemName },
    key: CryptoKey,
    ciphertext: BufferSource,
  ): Promise<ArrayBuffer>;
  exportKey(
    format: "raw-public" | "raw-seed",
    key: CryptoKey,
  ): Promise<ArrayBuffer>;
  getPublicKey(
    key: CryptoKey,
    usages: (KeyUsage | KemUsage)[],
  ): Promise<CryptoKey>;
  deriveBits(
    algorithm: Argon2Params,
    key: CryptoKey,
    bits: number,
  ): Promise<ArrayBuffer>;
}
