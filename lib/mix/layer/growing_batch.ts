import { MalformedError } from "../../protocol/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";

/** How many pieces lie in a block. */
const BLOCK = 64;

/** Pieces of one size. They stay where they are while more come. */
export class GrowingBatch {
  readonly #size: number;
  readonly #blocks: Bytes[] = [];
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
    const size = this.#size;
    if (pieces.length % size !== 0) {
      throw new MalformedError(
        `Cannot take a batch of ${pieces.length} bytes: its pieces have ${size}`,
      );
    }
    for (let at = 0; at < pieces.length; at += size) {
      const place = this.#count++;
      if (place % BLOCK === 0) this.#blocks.push(new Uint8Array(BLOCK * size));
      this.at(place).set(pieces.subarray(at, at + size));
    }
  }

  /** The piece at `place`, itself. */
  at(place: number): Bytes {
    const block = this.#blocks[Math.floor(place / BLOCK)]!;
    const start = place % BLOCK * this.#size;
    return block.subarray(start, start + this.#size);
  }

  /** Overwrites the pieces and lets go of them. `count` stays. */
  erase(): void {
    for (const block of this.#blocks.splice(0)) block.fill(0);
  }
}
