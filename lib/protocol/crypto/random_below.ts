import type { Bytes } from "../bytes/bytes.ts";

/** Gives so many random bytes, like `randomBytes` of the protocol. */
export type RandomSource = (length: number) => Bytes;

const DRAWN_BYTES = 6;
const DRAWN = 2 ** (8 * DRAWN_BYTES);

/**
 * An integer from 0 to below `limit`, each exactly as likely as every other: a draw from the last,
 * incomplete stretch of `limit` numbers is thrown away.
 *
 * @param limit 1 to 2^47, so that fewer than half of the draws are.
 * @throws {RangeError} if `limit` is not in that range.
 */
export function randomBelow(limit: number, random: RandomSource): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > DRAWN / 2) {
    throw new RangeError(`Cannot draw a number below ${limit}`);
  }
  const complete = DRAWN - DRAWN % limit;
  for (;;) {
    const drawn = random(DRAWN_BYTES).reduce((n, byte) => n * 256 + byte, 0);
    if (drawn < complete) return drawn % limit;
  }
}
