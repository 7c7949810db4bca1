import type { Bytes } from "../bytes/bytes.ts";
import { concat, utf8 } from "../bytes/bytes.ts";
import { HASH_BYTES, hkdfSha256, sha256 } from "../crypto/hash.ts";
import { CipherState } from "./cipher_state.ts";

const EMPTY = new Uint8Array(0);

/** Chaining key, transcript hash and the cipher under way (Noise rev 34 §5.2). */
export class SymmetricState {
  readonly cipher = new CipherState();
  #chainingKey: Bytes;
  #hash: Bytes;

  private constructor(hash: Bytes) {
    this.#chainingKey = hash;
    this.#hash = hash;
  }

  /** Names of up to 32 bytes are padded with zeros, longer ones hashed. */
  static async initialize(protocolName: string): Promise<SymmetricState> {
    const name = utf8(protocolName);
    if (name.length > HASH_BYTES) return new SymmetricState(await sha256(name));
    const padded = new Uint8Array(HASH_BYTES);
    padded.set(name);
    return new SymmetricState(padded);
  }

  /** h (32 bytes): what both sides have said so far; the channel binding when all is said. */
  get hash(): Bytes {
    return this.#hash;
  }

  async mixKey(input: Bytes): Promise<void> {
    const [chainingKey, key] = await this.#expand(input, 2);
    this.#chainingKey = chainingKey!;
    this.cipher.initializeKey(key!);
  }

  async mixHash(data: Bytes): Promise<void> {
    this.#hash = await sha256(concat(this.#hash, data));
  }

  /** For pre-shared keys (Noise rev 34 §9). */
  async mixKeyAndHash(input: Bytes): Promise<void> {
    const [chainingKey, hashed, key] = await this.#expand(input, 3);
    this.#chainingKey = chainingKey!;
    await this.mixHash(hashed!);
    this.cipher.initializeKey(key!);
  }

  async encryptAndHash(plaintext: Bytes): Promise<Bytes> {
    const ciphertext = await this.cipher.encrypt(this.#hash, plaintext);
    await this.mixHash(ciphertext);
    return ciphertext;
  }

  async decryptAndHash(ciphertext: Bytes): Promise<Bytes> {
    const plaintext = await this.cipher.decrypt(this.#hash, ciphertext);
    await this.mixHash(ciphertext);
    return plaintext;
  }

  /** The two keys (32 bytes each) under which the sides speak on: the initiator's, the responder's. */
  async split(): Promise<readonly [Bytes, Bytes]> {
    const [first, second] = await this.#expand(EMPTY, 2);
    return [first!, second!];
  }

  /** Noise's HKDF (rev 34 §4.3) is RFC 5869's with the chaining key as salt and no info. */
  async #expand(input: Bytes, outputs: 2 | 3): Promise<Bytes[]> {
    const bytes = await hkdfSha256(
      input,
      this.#chainingKey,
      EMPTY,
      outputs * HASH_BYTES,
    );
    return Array.from(
      { length: outputs },
      (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
    );
  }
}
