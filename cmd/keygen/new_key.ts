import { UsageError } from "../errors.ts";
import type { FlagTable } from "../flags.ts";
import type { Io } from "../io.ts";

/** The flags of every command that makes a key file. */
export const NEW_KEY_FLAGS = {
  out: { type: "string" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const satisfies FlagTable;

/**
 * The value of `--out`.
 *
 * @throws {UsageError} if it is not given.
 */
export function outOf(out: string | undefined): string {
  if (out === undefined) {
    throw new UsageError("--out is missing", {
      hint: "name the file to write",
    });
  }
  return out;
}

/** Now, in whole seconds since 1970, as certificates count. */
export function secondsNow(io: Io): number {
  return Math.floor(io.now() / 1000);
}
