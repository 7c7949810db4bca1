import { MalformedError } from "../../protocol/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";

/** Pieces of one size, one behind the other in one buffer that grows. */
export class GrowingBatch {
  readonly #size: number;
  #bytes: Bytes = new Uint8Array(0);
  #count = 0;

  /** @param size of a piece in bytes, at least 1. */
  constructor(size: number) {
    this.#size = size;
  }

  /** How many pieces were added. */
  get count(): number {
    return this.#count;
  }

  /**
   * Appends a copy of `pieces`.
   *
   * @throws {MalformedError} if the last one is not whole.
   */
  add(pieces: Bytes): void {
    const count = pieces.length / this.#size;
    if (!Number.isInteger(count)) {
      throw new MalformedError(
        `Cannot take a batch of ${pieces.length} bytes: its pieces have ${this.#size}`,
      );
    }
    const at = this.#count * this.#size;
    if (at + pieces.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (at + pieces.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes.fill(0);
      this.#bytes = larger;
    }
    this.#bytes.set(pieces, at);
    this.#count += count;
  }

  /** The piece at `place`, which can be written to until more are added. */
  at(place: number): Bytes {
    return this.#bytes.subarray(place * this.#size, (place + 1) * this.#size);
  }

  /** Overwrites and lets go of the pieces. `count` stays. */
  erase(): void {
    this.#bytes.fill(0);
    this.#bytes = new Uint8Array(0);
  }
}
