import type { Bytes } from "../bytes/bytes.ts";
import { concat } from "../bytes/bytes.ts";
import { HASH_BYTES, hkdfSha256, sha256 } from "../crypto/hash.ts";
import { CipherState } from "./cipher_state.ts";
import type { Opening } from "./opening.ts";

const EMPTY = new Uint8Array(0);

/**
 * Chaining key, transcript hash and the cipher under way (Noise rev 34 §5.2).
 *
 * Chaining key and hash are two chains that meet only where something is sealed or opened, so each is
 * a promise: to mix is to append a link and go on at once, and the links of both chains are computed
 * side by side. A link that fails, say a Diffie-Hellman with a point of low order, fails all behind it,
 * and so the next seal, open or split.
 */
export class SymmetricState {
  readonly cipher = new CipherState();
  #chainingKey: Promise<Bytes>;
  #hash: Promise<Bytes>;
  #begun: Promise<unknown>[] = [];

  /** Begins both chains. */
  constructor({ chainingKey, hash }: Opening) {
    this.#chainingKey = Promise.resolve(chainingKey);
    this.#hash = Promise.resolve(hash);
  }

  /** h (32 bytes): what both sides have said so far; the channel binding when all is said. */
  get hash(): Promise<Bytes> {
    return this.#hash;
  }

  /**
   * Takes note of work whose result a chain, or whoever keeps it, will need. They see its failure; that
   * nobody needs it any more is not another one.
   */
  track<T>(work: T): T {
    if (work instanceof Promise) {
      work.catch(() => {});
      this.#begun.push(work);
    }
    return work;
  }

  /** Resolves when nothing that was begun is under way any more, whether it came off or not. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#begun.splice(0));
  }

  mixKey(input: Bytes | Promise<Bytes>): void {
    const [chainingKey, key] = this.#expand(input, 2);
    this.#chainingKey = chainingKey!;
    this.cipher.initializeKey(key!);
  }

  mixHash(data: Bytes | Promise<Bytes>): void {
    const joined = Promise.all([this.#hash, this.track(data)]);
    this.#hash = this.track(
      joined.then((parts) => sha256(concat(...parts))),
    );
  }

  /** For pre-shared keys (Noise rev 34 §9). */
  mixKeyAndHash(input: Bytes): void {
    const [chainingKey, hashed, key] = this.#expand(input, 3);
    this.#chainingKey = chainingKey!;
    this.mixHash(hashed!);
    this.cipher.initializeKey(key!);
  }

  encryptAndHash(plaintext: Bytes | Promise<Bytes>): Promise<Bytes> {
    const ciphertext = this.cipher.encrypt(this.#hash, this.track(plaintext));
    this.mixHash(ciphertext);
    return ciphertext;
  }

  decryptAndHash(ciphertext: Bytes): Promise<Bytes> {
    const plaintext = this.cipher.decrypt(this.#hash, ciphertext);
    this.mixHash(ciphertext);
    return this.track(plaintext);
  }

  /** The two keys (32 bytes each) under which the sides speak on: the initiator's, the responder's. */
  async split(): Promise<readonly [Bytes, Bytes]> {
    const [first, second] = this.#expand(EMPTY, 2);
    return await Promise.all([first!, second!]);
  }

  /** Noise's HKDF (rev 34 §4.3) is RFC 5869's with the chaining key as salt and no info. */
  #expand(input: Bytes | Promise<Bytes>, outputs: 2 | 3): Promise<Bytes>[] {
    const inputs = Promise.all([this.track(input), this.#chainingKey]);
    const expanded = inputs.then(([secret, salt]) =>
      hkdfSha256(secret, salt, EMPTY, outputs * HASH_BYTES)
    );
    const part = (bytes: Bytes, i: number) =>
      bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES);
    return Array.from(
      { length: outputs },
      (_, i) => this.track(expanded.then((bytes) => part(bytes, i))),
    );
  }
}
