import { UsageError } from "./errors.ts";

/**
 * The one of a few words that a flag names.
 *
 * @throws {UsageError} If it is none of `allowed`.
 */
export function parseChoice<const T extends string>(
  flag: string,
  value: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) {
    throw new UsageError(`${flag} cannot be ${value}`, {
      hint: `one of ${allowed.join(", ")}`,
    });
  }
  return found;
}
