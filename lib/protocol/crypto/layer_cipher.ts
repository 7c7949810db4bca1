import type { Bytes } from "../bytes/bytes.ts";
import { subtle } from "./subtle.ts";

/**
 * ChaCha20-Poly1305 (RFC 8439) under one nonce and thousands of keys, of `importLayerKey`, each used once
 * with it: the layers of a round. It does what `sealLayer` and `openLayer` do, with nothing between the
 * caller and WebCrypto, where a call costs more than the encryption. The input is copied at the call.
 */
export class LayerCipher {
  readonly #algorithm: { readonly name: string; readonly iv: Bytes };

  /** @param nonce 12 bytes. */
  constructor(nonce: Bytes) {
    this.#algorithm = { name: "ChaCha20-Poly1305", iv: nonce };
  }

  /** Encrypts and authenticates: 16 bytes more than `plaintext`. */
  seal(key: CryptoKey, plaintext: Bytes): Promise<ArrayBuffer> {
    return subtle.encrypt(this.#algorithm, key, plaintext);
  }

  /** Inverse of `seal`. Rejects with what WebCrypto throws if anything was altered. */
  open(key: CryptoKey, sealed: Bytes): Promise<ArrayBuffer> {
    return subtle.decrypt(this.#algorithm, key, sealed);
  }
}
