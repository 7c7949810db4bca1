import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import { gather, scatter } from "../pieces.ts";

/** How many random words are asked for at once. */
const WORDS = 4_096;
const WORD_BYTES = 4;
const WORD = 2 ** 32;
const LENGTH_LIMIT = 2 ** 24;

/**
 * A secret order, drawn once for a round: what goes on to the next mix is put into it, what comes back
 * is put out of it. Each of the n! orders is exactly as likely as every other, as far as the source of
 * random bytes is good. The batches are flat: elements of one length behind one another.
 */
export class Permutation {
  /** Number i of what comes out is number `#order[i]` of what went in. */
  readonly #order: Uint32Array;
  #isErased = false;

  private constructor(order: Uint32Array) {
    this.#order = order;
  }

  /**
   * Draws an order of `length` elements: Fisher and Yates's shuffle, each step with a number that no
   * remainder makes likelier.
   *
   * @param length 0 to 2^24.
   * @throws {RangeError} if it is not.
   */
  static random(length: number, random: RandomSource): Permutation {
    if (!Number.isInteger(length) || length < 0 || length > LENGTH_LIMIT) {
      throw new RangeError(`Cannot shuffle ${length} elements`);
    }
    const order = new Uint32Array(length);
    for (let i = 0; i < length; i++) order[i] = i;
    let bytes: Bytes = new Uint8Array(0);
    let words = new DataView(bytes.buffer);
    let at = 0;
    for (let left = length; left > 1; left--) {
      const complete = WORD - WORD % left;
      let word: number;
      do {
        if (at === bytes.length) {
          // They say what the order is.
          bytes.fill(0);
          bytes = random(WORD_BYTES * Math.min(WORDS, left - 1));
          words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
          at = 0;
        }
        word = words.getUint32(at);
        at += WORD_BYTES;
      } while (word >= complete);
      const drawn = word % left;
      const last = order[left - 1]!;
      order[left - 1] = order[drawn]!;
      order[drawn] = last;
    }
    bytes.fill(0);
    return new Permutation(order);
  }

  /** How many elements it puts in order. */
  get length(): number {
    return this.#order.length;
  }

  /**
   * The elements of `batch` in the secret order, in a new array.
   *
   * @param batch as many elements as the order has.
   * @param size length of each in bytes.
   * @throws {RangeError} if the length of `batch` is another.
   * @throws {MixError} `ERR_MIX_ROUND` if the order has been erased.
   */
  apply(batch: Bytes, size: number): Bytes {
    this.#check(batch, size);
    return gather(batch, this.#order, size);
  }

  /**
   * The inverse of `apply`: what stands where element i came to stand becomes element i again.
   *
   * @param batch as many elements as the order has; their length may be another than in `apply`.
   * @param size length of each in bytes.
   * @throws {RangeError} if the length of `batch` is another.
   * @throws {MixError} `ERR_MIX_ROUND` if the order has been erased.
   */
  undo(batch: Bytes, size: number): Bytes {
    this.#check(batch, size);
    const sorted = new Uint8Array(batch.length);
    scatter(batch, sorted, this.#order, size);
    return sorted;
  }

  /** Forgets the order. From now on `apply` and `undo` throw. */
  erase(): void {
    this.#order.fill(0);
    this.#isErased = true;
  }

  #check(batch: Bytes, size: number): void {
    if (this.#isErased) {
      throw new MixError(
        "ERR_MIX_ROUND",
        "Cannot shuffle: the order has been erased",
      );
    }
    if (
      !Number.isInteger(size) || size < 0 ||
      batch.length !== this.#order.length * size
    ) {
      throw new RangeError(
        `Cannot shuffle ${batch.length} bytes: not ${this.#order.length} times ${size}`,
      );
    }
  }
}
