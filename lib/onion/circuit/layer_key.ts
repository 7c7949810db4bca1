import type { Bytes } from "../../protocol/mod.ts";
import {
  importLayerKey,
  openLayer,
  sealLayer,
  TrafficKey,
} from "../../protocol/mod.ts";

/** Cells under one key before both sides move on to the next (SPEC.md §12.4): at most 1 GiB. */
export const REKEY_AFTER_CELLS = 2 ** 14;

/**
 * The key of one direction between a client and one hop. The counter is taken in the call itself, so
 * that cells may be sealed and opened many at a time; a cell that was lost, repeated, moved or altered
 * does not open, and none behind it.
 */
export class LayerKey {
  readonly #key: TrafficKey;

  private constructor(key: TrafficKey) {
    this.#key = key;
  }

  /** `raw` is 32 bytes. */
  static async of(
    raw: Bytes,
    rekeyAfter: number = REKEY_AFTER_CELLS,
  ): Promise<LayerKey> {
    return new LayerKey(await TrafficKey.of(raw, rekeyAfter, importLayerKey));
  }

  /** Adds a layer: 16 bytes more. `plaintext` may be changed as soon as the call has returned. */
  seal(plaintext: Bytes): Promise<Bytes> {
    const { key, nonce } = this.#key.take();
    if (key instanceof CryptoKey) return sealLayer(key, nonce, plaintext);
    const kept = plaintext.slice();
    return key.then((ready) => sealLayer(ready, nonce, kept));
  }

  /**
   * Takes a layer off. `sealed` may be changed as soon as the call has returned.
   *
   * @throws {CryptoError} if it is not what the other side sealed as its next cell.
   */
  open(sealed: Bytes): Promise<Bytes> {
    const { key, nonce } = this.#key.take();
    if (key instanceof CryptoKey) return openLayer(key, nonce, sealed);
    const kept = sealed.slice();
    return key.then((ready) => openLayer(ready, nonce, kept));
  }
}

/** Both directions between a client and one hop. */
export interface HopKeys {
  /** From the client. */
  readonly forward: LayerKey;
  /** To the client. */
  readonly backward: LayerKey;
  /** The hash of the handshake, 32 bytes: only the two of them know it, and no other circuit has it. */
  readonly binding: Bytes;
}
