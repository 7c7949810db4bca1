import { UsageError } from "./errors.ts";

const MOST = 999_999_999;

/**
 * The whole number that a flag gives, or `otherwise` where it is not given.
 *
 * @param least of the numbers that are allowed.
 * @throws {UsageError} if it is none from `least` to 999,999,999.
 */
export function countOf(
  flag: string,
  text: string | undefined,
  otherwise: number,
  least = 1,
): number {
  if (text === undefined) return otherwise;
  const count = /^(?:0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : -1;
  if (count < least) {
    throw new UsageError(`${flag} needs a number from ${least} on`, {
      hint: `at most ${MOST}`,
    });
  }
  return count;
}
