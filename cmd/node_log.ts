import { DirectoryError } from "../lib/directory/mod.ts";
import { DialError } from "../lib/net/mod.ts";
import {
  ChannelError,
  MalformedError,
  RefusedError,
} from "../lib/protocol/mod.ts";
import { parseChoice } from "./choice.ts";
import type { Io } from "./io.ts";
import { Log, LOG_LEVELS } from "./log.ts";

/** The flags that say how a node keeps its log; spread them into a command's own table. */
export const LOG_FLAGS = {
  "log-level": { type: "string" },
  "log-format": { type: "string" },
} as const;

/** Their values. */
export interface LogFlags {
  readonly "log-level": string | undefined;
  readonly "log-format": string | undefined;
}

/** The log of a node, on standard error. @throws {UsageError} if a flag cannot be what it is. */
export function openLog(io: Io, flags: LogFlags): Log {
  return new Log({
    level: parseChoice("--log-level", flags["log-level"] ?? "info", LOG_LEVELS),
    format: parseChoice("--log-format", flags["log-format"] ?? "text", [
      "text",
      "json",
    ]),
    out: io.stderr,
    now: () => io.now(),
  });
}

/** What a peer can cause at will is worth a line for debugging only; it may name an address. */
export function logFailure(log: Log, error: unknown): void {
  const peer = error instanceof ChannelError ||
    error instanceof DialError ||
    error instanceof DirectoryError ||
    error instanceof MalformedError ||
    error instanceof RefusedError ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted;
  const why = error instanceof Error
    ? `${error.name}: ${error.message}`
    : String(error);
  if (peer) log.debug("connection ended", { why });
  else log.error("failed", { why });
}
