import { createCipheriv, createHmac } from "node:crypto";
import { concat } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";

/**
 * The chunked encryption of c2sp.org/chunked-encryption@v1 with AEAD_AES_256_GCM, written down once
 * more on another library, as slowly and plainly as it goes.
 */
export class NaiveBlob {
  readonly header: Bytes;
  readonly #key: Bytes;
  readonly #baseNonce: bigint;

  constructor(inputKey: Bytes, context: Bytes, salt: Bytes) {
    const label = new TextEncoder().encode(
      "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM",
    );
    const info = concat(label, Uint8Array.of(0), salt, context);
    const first = hmac(inputKey, concat(info, Uint8Array.of(1)));
    const second = hmac(inputKey, concat(first, info, Uint8Array.of(2)));
    const secrets = concat(first, second);
    this.#key = secrets.slice(0, 32);
    this.#baseNonce = BigInt(`0x${secrets.slice(32, 44).toHex()}`);
    this.header = concat(salt, secrets.slice(44, 76));
  }

  sealChunk(index: number, plaintext: Bytes): Bytes {
    const nonce = this.#baseNonce ^ BigInt(index);
    const cipher = createCipheriv(
      "aes-256-gcm",
      this.#key,
      Uint8Array.fromHex(nonce.toString(16).padStart(24, "0")),
    );
    const body = cipher.update(plaintext);
    return concat(body, cipher.final(), cipher.getAuthTag());
  }

  sealAll(plaintext: Bytes): Bytes {
    const chunks: Bytes[] = [];
    for (let at = 0; at <= plaintext.length; at += 16_384) {
      const chunk = plaintext.slice(at, at + 16_384);
      chunks.push(this.sealChunk(at / 16_384, chunk));
    }
    return concat(...chunks);
  }
}

function hmac(key: Bytes, data: Bytes): Bytes {
  return new Uint8Array(createHmac("sha512", key).update(data).digest());
}
