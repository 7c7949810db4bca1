import { UsageError } from "../errors.ts";

const MOST = 1_000_000;

/**
 * A whole number from `least` to a million.
 *
 * @throws {UsageError} if `text` is none.
 */
export function parseCount(flag: string, text: string, least = 1): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : -1;
  if (count < least || count > MOST) {
    throw new UsageError(`${flag} cannot be ${text}`, {
      hint: `a whole number from ${least} to ${MOST}`,
    });
  }
  return count;
}
