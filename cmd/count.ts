import { UsageError } from "./errors.ts";

/**
 * The whole number from 1 on that a flag gives, or `otherwise` where it is not given.
 *
 * @throws {UsageError} if it is none, or has more than nine digits.
 */
export function countOf(
  flag: string,
  text: string | undefined,
  otherwise: number,
): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) {
    throw new UsageError(`${flag} needs a number from 1 on`);
  }
  return Number(text);
}
