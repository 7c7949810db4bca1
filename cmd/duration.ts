import { UsageError } from "./errors.ts";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * The milliseconds of a length of time as people write it: a whole number and `ms`, `s`, `m`, `h`, `d`
 * or `w`, several behind each other if wanted ("90s", "30d", "1h30m"). Zero is "0s".
 *
 * @throws {UsageError} If `text` is anything else, or more than 2^53 - 1 ms.
 */
export function parseDuration(text: string): number {
  if (!/^(?:\d+(?:ms|[smhdw]))+$/.test(text)) throw notADuration(text);
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdw])/g)) {
    total += Number(count) * UNITS[unit!]!;
  }
  if (!Number.isSafeInteger(total)) throw notADuration(text);
  return total;
}

function notADuration(text: string): UsageError {
  return new UsageError(`not a length of time: ${text}`, {
    hint: 'a number and ms, s, m, h, d or w, as in "30d" or "1h30m"',
  });
}
