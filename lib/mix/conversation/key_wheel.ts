import type { Bytes } from "../../protocol/mod.ts";
import { concat, hmacSha256, u64, utf8 } from "../../protocol/mod.ts";

/** A wheel turns once a minute. */
const MINUTE = 60_000;
/** It is turned at most so far at once: five weeks. */
export const TURN_LIMIT = 50_400;

const TURN = utf8("turn");
const ROUND = utf8("round");

/**
 * Keys of rounds, out of the secret of a call: one key for every minute, which is forgotten when a
 * later minute is asked for, so that whoever learns it learns nothing about rounds before that minute
 * (the key wheel of Alpenhorn, OSDI 2016 §5). One call at a time.
 */
export class KeyWheel {
  #minute: number;
  #key: Bytes;

  /**
   * @param secret of the call, 32 bytes; copied.
   * @param start of the dialing round that made the call: the key of its minute is the secret.
   */
  constructor(secret: Bytes, start: number) {
    this.#minute = Math.floor(start / MINUTE);
    this.#key = secret.slice();
  }

  /**
   * Whether that is so far ahead of the last round that there is no turning: every turn takes some tens
   * of microseconds, a week's below a second.
   */
  isBeyond(start: number): boolean {
    return Math.floor(start / MINUTE) - this.#minute > TURN_LIMIT;
  }

  /**
   * The key (32 bytes) of the round that starts then; nothing for one in a minute that has passed, or
   * beyond reach.
   */
  async roundKey(start: number): Promise<Bytes | undefined> {
    const minute = Math.floor(start / MINUTE);
    if (minute < this.#minute || this.isBeyond(start)) return undefined;
    while (this.#minute < minute) {
      const next = await hmacSha256(this.#key, TURN);
      this.#key.fill(0);
      this.#key = next;
      this.#minute++;
    }
    return await hmacSha256(this.#key, concat(ROUND, u64(BigInt(start))));
  }

  /** Forgets the key. The wheel must not be used any more. */
  erase(): void {
    this.#key.fill(0);
  }

  /** What a thief of the memory finds: a copy. */
  memoryForTestingOnly(): { readonly minute: number; readonly key: Bytes } {
    return { minute: this.#minute, key: this.#key.slice() };
  }
}
