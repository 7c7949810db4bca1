import type { Bytes } from "../../protocol/mod.ts";
import { TOKEN_BYTES } from "../sizes.ts";

/** How many bits a token sets. */
const POSITIONS = 30;

/**
 * The bits that stand for a token in a filter of so many bits: 30 numbers from 0 to below `bits`.
 *
 * A token is the output of an HMAC, so its 256 bits already are what a hash function would make of it. They
 * seed a small generator (sfc32 of PractRand), once with the first half and once with the second, 15
 * numbers each. Cutting the numbers out of the token would not do: 256 bits are not enough for 30 places.
 * Nor would "a + i * b", the usual short cut: in a filter of m bits there are only m * m such patterns, and
 * then a filter of 1,000 tokens takes one stranger in two million for one of its own.
 *
 * Who makes up a token can choose its bits, and spoils a filter no more than with 30 bits a token.
 *
 * @param token 32 bytes.
 * @param bits 1 to 2^32 - 1.
 */
export function positionsOf(token: Bytes, bits: number): Uint32Array {
  const words = new DataView(token.buffer, token.byteOffset, TOKEN_BYTES);
  const positions = new Uint32Array(POSITIONS);
  let at = 0;
  for (const seed of [0, TOKEN_BYTES / 2]) {
    let a = words.getUint32(seed);
    let b = words.getUint32(seed + 4);
    let c = words.getUint32(seed + 8);
    let counter = words.getUint32(seed + 12);
    for (let i = 0; i < POSITIONS / 2; i++) {
      const drawn = (a + b + counter) >>> 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = ((c << 21 | c >>> 11) + drawn) | 0;
      positions[at++] = drawn % bits;
    }
  }
  return positions;
}
