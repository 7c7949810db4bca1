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
 * A key and its counter (Noise rev 34 §5.1). While there is no key, data passes as it is.
 *
 * Key and data may still be on their way. Which key and which counter a call uses is settled in the
 * call itself, so that several may be under way and no two share a nonce. What does not open leaves a
 * gap in the counter: the handshake ends with it.
 */
export class CipherState {
  #key: Promise<CryptoKey> | undefined;
  #counter = 0n;

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  /** `raw` is 32 bytes; the counter starts again at zero. If it fails to come, so does what needs it. */
  initializeKey(raw: Bytes | Promise<Bytes>): void {
    this.#key = Promise.resolve(raw).then(importAead);
    this.#key.catch(() => {/* whoever needs the key sees the failure */});
    this.#counter = 0n;
  }

  async encrypt(
    associated: Bytes | Promise<Bytes>,
    plaintext: Bytes | Promise<Bytes>,
  ): Promise<Bytes> {
    if (this.#key === undefined) return await plaintext;
    const nonce = this.#take();
    const [key, data, text] = await Promise.all([
      this.#key,
      associated,
      plaintext,
    ]);
    return await seal(key, nonce, text, data);
  }

  /** @throws {CryptoError} if the tag does not match. */
  async decrypt(
    associated: Bytes | Promise<Bytes>,
    ciphertext: Bytes,
  ): Promise<Bytes> {
    if (this.#key === undefined) return ciphertext;
    const nonce = this.#take();
    const [key, data] = await Promise.all([this.#key, associated]);
    return await open(key, nonce, ciphertext, data);
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
