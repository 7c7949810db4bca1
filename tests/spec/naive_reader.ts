import { toBig } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

/** Takes a byte string apart from its beginning to its end, in the notation of SPEC.md §1. */
export class NaiveReader {
  readonly #bytes: Octets;
  /** How many bytes have been taken. */
  at = 0;

  constructor(bytes: Octets) {
    this.#bytes = bytes;
  }

  /** How many bytes there still are. */
  get left(): number {
    return this.#bytes.length - this.at;
  }

  /** The next `length` bytes. */
  take(length: number): Octets {
    if (length > this.left) throw new Error("it ends too early");
    this.at += length;
    return this.#bytes.slice(this.at - length, this.at);
  }

  /** An integer of `size` bytes, below 2^53. */
  integer(size: number): number {
    const value = toBig(this.take(size));
    if (value >= 2n ** 53n) throw new Error("an integer that is too large");
    return Number(value);
  }

  /** A text in UTF-8 behind its length of `size` bytes. */
  text(size: number): string {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return decoder.decode(this.take(this.integer(size)));
  }
}
