import { AccountError } from "../../lib/account/mod.ts";
import type { ServerAddress } from "../../lib/identity/mod.ts";
import { Backoff } from "../../lib/net/mod.ts";
import { ChannelError, RefusedError } from "../../lib/protocol/mod.ts";
import type { CommandChannel } from "../../lib/protocol/mod.ts";
import { TRANSFER_VOCABULARY } from "../../lib/transfer/mod.ts";
import { CommandError } from "../errors.ts";
import { formatDuration } from "../format_duration.ts";
import type { Io } from "../io.ts";
import { InterruptedError } from "../io.ts";
import { offlineText } from "./event_text.ts";
import { pause } from "./online.ts";
import type { Route } from "./route.ts";
import { connectToServer } from "./server_link.ts";

/** Between two looks whether anything moves, in milliseconds. */
const WATCH_EVERY = 250;

/** What a transfer does over one connection after the other. */
export interface FileLinkOptions {
  readonly io: Io;
  readonly route: Route;
  readonly server: ServerAddress;
  /** How long it goes on without getting further before it gives up, in milliseconds. */
  readonly patience: number;
  readonly quiet: boolean;
  /** Whether a person is being asked: that time does not count. */
  readonly isAsking?: () => boolean;
  /** Says that there is no connection; on standard error if it is left out. */
  readonly note?: (text: string) => Promise<void>;
}

/**
 * Does `work` over a connection for files, and over new ones until it is done: a connection that
 * breaks is no reason to begin again.
 *
 * @param work calls `moved` whenever it has got further; `signal` fires when it is to end.
 * @throws {InterruptedError} after Ctrl-C.
 * @throws {CommandError} if nothing moved for too long; its cause is what the last attempt met.
 */
export async function overFileLink<T>(
  options: FileLinkOptions,
  work: (
    link: CommandChannel,
    moved: () => void,
    signal: AbortSignal,
  ) => Promise<T>,
): Promise<T> {
  const { io, route, server, patience, quiet } = options;
  const { note = (text) => io.stderr.write(`${text}\n`) } = options;
  const backoff = new Backoff();
  let since = performance.now();
  let wasOnline = true;
  const moved = () => {
    since = performance.now();
    backoff.reset();
    wasOnline = true;
  };
  for (;;) {
    if (io.signal.aborted) throw new InterruptedError();
    let link: CommandChannel | undefined;
    const drop = () => link?.abort();
    const stalled = new AbortController();
    const signal = AbortSignal.any([io.signal, stalled.signal]);
    signal.addEventListener("abort", drop);
    const watch = setInterval(() => {
      if (options.isAsking?.()) since = performance.now();
      if (performance.now() - since > patience) stalled.abort();
    }, WATCH_EVERY);
    try {
      ({ link } = await connectToServer(
        io,
        route,
        server,
        signal,
        TRANSFER_VOCABULARY,
      ));
      const result = await work(link, moved, signal);
      await link.close();
      return result;
    } catch (error) {
      link?.abort();
      if (io.signal.aborted) throw new InterruptedError();
      if (stalled.signal.aborted) {
        const time = formatDuration(patience);
        throw givenUp(`Cannot go on for now: nothing has moved for ${time}`);
      }
      if (!isPassing(error)) throw error;
      const retryIn = Math.max(backoff.next(), waitOf(error));
      if (performance.now() + retryIn - since > patience) {
        throw givenUp("Cannot go on for now", error);
      }
      if (wasOnline && !quiet) {
        await note(offlineText(error));
      }
      wasOnline = false;
      await pause(retryIn, io.signal);
    } finally {
      clearInterval(watch);
      signal.removeEventListener("abort", drop);
    }
  }
}

function givenUp(message: string, cause?: unknown): CommandError {
  return new CommandError(message, {
    ...cause === undefined ? {} : { cause },
    hint: "the same command goes on where it was",
  });
}

/** Nobody answers, or the onion has no way there, now. */
const PASSING: ReadonlySet<string> = new Set([
  "ERR_UNREACHABLE",
  "ERR_STREAM",
  "ERR_DIRECTORY_UNREACHABLE",
]);

/** Whether trying again may mend it. */
function isPassing(error: unknown): boolean {
  if (error instanceof AccountError) {
    return error.reason === "throttled" || error.reason === "internal";
  }
  if (error instanceof ChannelError) {
    return error.code !== "ERR_CHANNEL_VIOLATION" &&
      error.code !== "ERR_HANDSHAKE_FAILED";
  }
  const code = error instanceof Error && "code" in error ? error.code : "";
  return error instanceof RefusedError || PASSING.has(String(code));
}

function waitOf(error: unknown): number {
  if (error instanceof AccountError) return error.retryIn * 1_000;
  return error instanceof RefusedError ? error.retryAfter * 1_000 : 0;
}
