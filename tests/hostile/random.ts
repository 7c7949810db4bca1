import type { Bytes } from "../../lib/protocol/mod.ts";

/**
 * Random numbers that come again with the same seed (sfc32 by Chris Doty-Humphrey), so that an input
 * that broke something can be made once more. Not for secrets.
 */
export class Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c = 0x9e3779b9;
  #counter = 1;

  /** @param seed 32 bits. */
  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#a = this.seed;
    this.#b = this.seed ^ 0xdeadbeef;
    for (let i = 0; i < 15; i++) this.u32();
  }

  /** The next 32 bits. */
  u32(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  /** An integer from 0 to below `limit`, which is at most 2^32. */
  below(limit: number): number {
    return Math.floor(this.u32() / 4294967296 * limit);
  }

  /** Whether something happens that happens once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  bytes(length: number): Bytes {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.u32();
      for (let i = 0; i < 4 && at + i < length; i++) {
        bytes[at + i] = word >>> (8 * i);
      }
    }
    return bytes;
  }

  /** Mostly short lengths, sometimes those at which something changes, at most `limit`. */
  length(limit: number): number {
    const edges = [0, 1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 511, 512];
    const length = this.once(3) ? this.pick(edges) : this.below(64);
    return Math.min(this.once(20) ? this.below(limit + 1) : length, limit);
  }
}
