import type { Bytes } from "../bytes/bytes.ts";
import { importAead, open, seal } from "../crypto/aead.ts";

/** The counter never reaches this value (Noise rev 34 §5.1). */
const LAST = 0xffffffffffffffffn;

/** The 12-byte nonce of AESGCM: four zero bytes, then the counter, big-endian (Noise rev 34 §12.4). */
export function counterNonce(counter: bigint): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, counter);
  return nonce;
}

/**
 * A key and its counter (Noise rev 34 §5.1). The counter is taken before the cipher is called, so
 * that two calls at once never share a nonce. While there is no key, data passes as it is.
 */
export class CipherState {
  #key: Promise<CryptoKey> | undefined;
  #counter = 0n;

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  /** `raw` is 32 bytes; the counter starts again at zero. */
  initializeKey(raw: Bytes): void {
    this.#key = importAead(raw);
    this.#counter = 0n;
  }

  async encrypt(associated: Bytes, plaintext: Bytes): Promise<Bytes> {
    if (this.#key === undefined) return plaintext;
    const nonce = this.#take();
    return await seal(await this.#key, nonce, plaintext, associated);
  }

  /** @throws {CryptoError} if the tag does not match; the counter then stands where it stood. */
  async decrypt(associated: Bytes, ciphertext: Bytes): Promise<Bytes> {
    if (this.#key === undefined) return ciphertext;
    const nonce = counterNonce(this.#counter);
    const plaintext = await open(
      await this.#key,
      nonce,
      ciphertext,
      associated,
    );
    this.#take();
    return plaintext;
  }

  #take(): Bytes {
    if (this.#counter === LAST) {
      throw new RangeError(
        "Cannot seal another message: the counter has ended",
      );
    }
    return counterNonce(this.#counter++);
  }
}
