import { encapsulate, generateDh } from "../protocol/mod.ts";
import type { Bytes, DhKeyPair } from "../protocol/mod.ts";

/** Where fresh secrets come from. Only tests that pin a transcript bring their own. */
export interface KeySource {
  /** A new X25519 pair whose private half can be exported into a state. */
  dh(): Promise<DhKeyPair>;
  /** A shared secret (32 bytes) and its ciphertext (1,088 bytes) for an ML-KEM-768 key. */
  encapsulate(
    publicKey: Bytes,
  ): Promise<{ secret: Bytes; ciphertext: Bytes }>;
}

/** The operating system's generator, through WebCrypto. */
export const SYSTEM_KEYS: KeySource = {
  dh: () => generateDh(true),
  encapsulate,
};
