import { UsageError } from "./errors.ts";

const UNITS = ["", "k", "m", "g", "t"] as const;

/**
 * The bytes of a size as people write it: a number, then `k`, `M`, `G` or `T` for powers of 1024, in
 * either case, with `B` or `iB` behind it if wanted ("512", "64k", "10M", "1.5GiB").
 *
 * @throws {UsageError} If `text` is anything else, no whole number of bytes, or more than 2^53 - 1.
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:([kmgt])(?:i?b)?|b)?$/i.exec(text);
  if (match === null) throw notASize(text);
  const [, count, unit = ""] = match;
  const power = UNITS.findIndex((each) => each === unit.toLowerCase());
  const bytes = Number(count) * 1024 ** power;
  if (!Number.isSafeInteger(bytes)) throw notASize(text);
  return bytes;
}

/** `bytes` with three digits or so: "0 B", "1023 B", "64.0 KiB", "1.5 GiB". */
export function formatSize(bytes: number): string {
  let power = 0;
  let value = bytes;
  // 1023.95 would be shown as "1024.0".
  while (value >= 1023.95 && power < UNITS.length - 1) {
    value /= 1024;
    power++;
  }
  return power === 0
    ? `${bytes} B`
    : `${value.toFixed(1)} ${UNITS[power]!.toUpperCase()}iB`;
}

function notASize(text: string): UsageError {
  return new UsageError(`not a size: ${text}`, {
    hint: 'bytes, or a number and k, M, G or T, as in "64k" or "10M"',
  });
}
