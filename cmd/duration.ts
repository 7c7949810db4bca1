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

/** `ms` in its two largest units: "3d 4h", "12s", "850ms". Rounds down; negative counts as zero. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.floor(ms));
  const parts: string[] = [];
  for (const unit of ["d", "h", "m", "s", "ms"]) {
    const count = Math.floor(rest / UNITS[unit]!);
    rest -= count * UNITS[unit]!;
    if (count > 0 && !(unit === "ms" && parts.length > 0)) {
      parts.push(`${count}${unit}`);
    } else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0s" : parts.join(" ");
}

function notADuration(text: string): UsageError {
  return new UsageError(`not a length of time: ${text}`, {
    hint: 'a number and ms, s, m, h, d or w, as in "30d" or "1h30m"',
  });
}
