import type { Bytes } from "../bytes/bytes.ts";
import { utf8 } from "../bytes/bytes.ts";
import { importAead } from "../crypto/aead.ts";
import { hkdfSha256 } from "../crypto/hash.ts";
import { counterNonce } from "../noise/cipher_state.ts";

/** Records under one key before both sides move on to the next (SPEC.md §4). */
export const REKEY_AFTER_RECORDS = 2 ** 20;

const REKEY = utf8("sotto rekey");
const MIX = utf8("sotto mix");
const EMPTY = new Uint8Array(0);

/** What one record is sealed with: no other record has the same pair. */
export interface RecordKey {
  /** For the cipher; a promise just after a rekey. */
  readonly key: CryptoKey | Promise<CryptoKey>;
  /** 12 bytes. */
  readonly nonce: Bytes;
}

/** Makes a key for a cipher of 32 raw bytes. */
type ImportKey = (raw: Bytes) => Promise<CryptoKey>;

/**
 * The key of one direction of a channel, with its counter. `take` is synchronous, so that whoever
 * takes first also seals first, however many seals are under way.
 */
export class TrafficKey {
  readonly #rekeyAfter: number;
  readonly #import: ImportKey;
  #raw: Promise<Bytes>;
  #key: CryptoKey | Promise<CryptoKey>;
  #counter = 0;

  private constructor(
    raw: Bytes,
    key: CryptoKey,
    rekeyAfter: number,
    importKey: ImportKey,
  ) {
    this.#raw = Promise.resolve(raw);
    this.#key = key;
    this.#rekeyAfter = rekeyAfter;
    this.#import = importKey;
  }

  /**
   * The key that is `raw` (32 bytes), with its counter at zero.
   *
   * @param importKey says for which cipher; AES-256-GCM unless it is given.
   */
  static async of(
    raw: Bytes,
    rekeyAfter: number = REKEY_AFTER_RECORDS,
    importKey: ImportKey = importAead,
  ): Promise<TrafficKey> {
    return new TrafficKey(raw, await importKey(raw), rekeyAfter, importKey);
  }

  /** Key and nonce for the next record. */
  take(): RecordKey {
    if (this.#counter === this.#rekeyAfter) this.#rekey();
    return { key: this.#key, nonce: counterNonce(BigInt(this.#counter++)) };
  }

  /** The key that follows this one once both sides know `secret`; its counter starts at zero. */
  async mixed(secret: Bytes): Promise<TrafficKey> {
    const raw = await hkdfSha256(secret, await this.#raw, MIX, 32);
    return await TrafficKey.of(raw, this.#rekeyAfter, this.#import);
  }

  #rekey(): void {
    this.#raw = this.#raw.then((raw) => hkdfSha256(raw, EMPTY, REKEY, 32));
    const key = this.#raw.then(this.#import);
    this.#key = key;
    this.#counter = 0;
    key.then((ready) => {
      if (this.#key === key) this.#key = ready;
    }, () => {/* whoever awaits the key sees the failure */});
  }
}
