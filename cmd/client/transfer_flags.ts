import { Pace } from "../../lib/net/mod.ts";
import { PIECE_PLAINTEXT } from "../../lib/transfer/mod.ts";
import { parseDuration } from "../duration.ts";
import { UsageError } from "../errors.ts";
import { parseSize } from "../size.ts";

/** The flags of every command that sends or fetches files; spread them into its own table. */
export const TRANSFER_FLAGS = {
  "limit-rate": { type: "string" },
  wait: { type: "string" },
} as const;

/** The flags of every command that sends files. */
export const SENDING_FLAGS = {
  ...TRANSFER_FLAGS,
  expires: { type: "string" },
  name: { type: "string" },
} as const;

/** The flags of every command that fetches files. */
export const RECEIVING_FLAGS = {
  ...TRANSFER_FLAGS,
  to: { type: "string" },
  output: { type: "string", short: "o" },
  replace: { type: "boolean" },
  yes: { type: "boolean", short: "y" },
} as const;

/** What `--limit-rate` says. @throws {UsageError} if it is no size above 0. */
export function paceOf(text: string | undefined): Pace | undefined {
  const rate = rateOf(text);
  return rate === undefined ? undefined : new Pace(rate);
}

function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rate = parseSize(text.replace(/\/s$/, ""));
  if (rate === 0) throw new UsageError("--limit-rate must be above 0");
  return rate;
}

/** Seconds that `--expires` says. @throws {UsageError} if it is no duration of a second or more. */
export function lifetimeOf(text: string): number {
  const seconds = Math.floor(parseDuration(text) / 1_000);
  if (seconds < 1 || seconds > 0xffff_ffff) {
    throw new UsageError("--expires is out of its range", {
      hint: 'from 1s on, as in "90m" or "3d"',
    });
  }
  return seconds;
}

/** Milliseconds that `--wait` says, but long enough for three pieces at the rate that `--limit-rate` allows. */
export function patienceOf(flags: {
  readonly wait: string | undefined;
  readonly "limit-rate": string | undefined;
}): number {
  const rate = rateOf(flags["limit-rate"]);
  const pieces = rate === undefined ? 0 : 3_000 * PIECE_PLAINTEXT / rate;
  return Math.max(parseDuration(flags.wait ?? "2m"), pieces);
}
