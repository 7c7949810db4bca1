import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { TOKEN_BYTES } from "../sizes.ts";
import { positionsOf } from "./filter_positions.ts";

/** Length of the smallest filter in bytes: in a smaller one the bits of a token would fall on each other. */
export const FILTER_MINIMUM = 512;
/** Length of the largest filter in bytes: one message to a client holds it. */
export const FILTER_LIMIT = 262_144;
/**
 * Bits for a token. The 30 that it sets are ones: a share of 1 - exp(-30 / 44) of all, 49.4 %, so a token that
 * is not in the filter finds 30 ones with probability 0.494^30 = 6.6 * 10^-10 (Bloom 1970; Broder and
 * Mitzenmacher 2004, §2). 43.3 would be the least for 10^-9; the rest is for the smallest filters, in which
 * the 30 now and then fall on each other.
 */
const BITS_PER_TOKEN = 44;
/** How many tokens the largest filter takes. */
export const TOKEN_LIMIT: number = Math.floor(
  FILTER_LIMIT * 8 / BITS_PER_TOKEN,
);
/**
 * A filter with a larger part of ones is refused. An honest one has less than half; in one that is all ones everybody
 * would find that everybody calls him.
 */
const ONES_LIMIT = 0.6;

/**
 * The tokens of a dialing round's bucket, as a Bloom filter: whoever knows a token finds out whether it is
 * there, and nobody learns one from it. A token that is there is always found; one that is not
 * is taken for one that is with a probability below 10^-9 (2 * 10^-7 in the fullest filter that is accepted).
 */
export class TokenFilter {
  readonly #bits: Bytes;

  private constructor(bits: Bytes) {
    this.#bits = bits;
  }

  /**
   * A filter with these tokens in it.
   *
   * @param tokens 32 bytes each, at most `TOKEN_LIMIT`.
   * @throws {RangeError} if there are more.
   */
  static build(tokens: readonly Bytes[]): TokenFilter {
    if (tokens.length > TOKEN_LIMIT) {
      throw new RangeError(
        `Cannot build a filter: ${tokens.length} tokens, at most ${TOKEN_LIMIT} fit`,
      );
    }
    const needed = Math.ceil(tokens.length * BITS_PER_TOKEN / 8);
    const bits = new Uint8Array(Math.max(FILTER_MINIMUM, needed));
    for (const token of tokens) {
      for (const position of positionsOf(token, bits.length * 8)) {
        bits[position >>> 3]! |= 1 << (position & 7);
      }
    }
    return new TokenFilter(bits);
  }

  /**
   * A filter from its bytes.
   *
   * @throws {MalformedError} if there are fewer than 512 or more than 262,144 bytes, or more than
   * 60 % of their bits are ones.
   */
  static parse(bytes: Bytes): TokenFilter {
    if (bytes.length < FILTER_MINIMUM || bytes.length > FILTER_LIMIT) {
      throw new MalformedError(
        `Cannot read a filter: ${bytes.length} bytes, ${FILTER_MINIMUM} to ${FILTER_LIMIT} are allowed`,
      );
    }
    const ones = bytes.reduce((sum, byte) => sum + onesIn(byte), 0);
    if (ones > ONES_LIMIT * bytes.length * 8) {
      throw new MalformedError(
        `Cannot read a filter: ${ones} of ${bytes.length * 8} bits are ones`,
      );
    }
    return new TokenFilter(bytes.slice());
  }

  /** Its bytes, which `parse` takes: bit i is bit i % 8 (1 is the lowest) of byte i / 8. */
  encode(): Bytes {
    return this.#bits.slice();
  }

  /** Whether `token` (32 bytes) is in it; anything of another length is not. */
  has(token: Bytes): boolean {
    return token.length === TOKEN_BYTES &&
      positionsOf(token, this.#bits.length * 8).every((position) =>
        (this.#bits[position >>> 3]! >>> (position & 7) & 1) === 1
      );
  }
}

function onesIn(byte: number): number {
  let ones = 0;
  for (let left = byte; left > 0; left &= left - 1) ones++;
  return ones;
}
