import { AccountError } from "../../lib/account/mod.ts";
import type { ServerAddress } from "../../lib/identity/mod.ts";
import { Backoff } from "../../lib/net/mod.ts";
import { ChannelError, RefusedError } from "../../lib/protocol/mod.ts";
import type { CommandChannel } from "../../lib/protocol/mod.ts";
import { TRANSFER_VOCABULARY } from "../../lib/transfer/mod.ts";
import { CommandError } from "../errors.ts";
import type { Io } from "../io.ts";
import { InterruptedError } from "../io.ts";
import { offlineText } from "./event_text.ts";
import { pause } from "./online.ts";
import { connectToServer } from "./server_link.ts";

/** What a transfer does over one connection after the other. */
export interface FileLinkOptions {
  readonly io: Io;
  readonly server: ServerAddress;
  /** How long it goes on without getting further before it gives up, in milliseconds. */
  readonly patience: number;
  readonly quiet: boolean;
  /** Says that there is no connection; on standard error if it is left out. */
  readonly note?: (text: string) => Promise<void>;
}

/**
 * Does `work` over a connection for files, and over new ones until it is done: a connection that
 * breaks is no reason to begin again.
 *
 * @param work calls `moved` whenever it has got further.
 * @throws {InterruptedError} after Ctrl-C.
 * @throws {CommandError} if nothing moved for too long; its cause is what the last attempt met.
 */
export async function overFileLink<T>(
  options: FileLinkOptions,
  work: (link: CommandChannel, moved: () => void) => Promise<T>,
): Promise<T> {
  const { io, server, patience, quiet } = options;
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
    try {
      ({ link } = await connectToServer(
        io,
        server,
        io.signal,
        TRANSFER_VOCABULARY,
      ));
      io.signal.addEventListener("abort", drop);
      const result = await work(link, moved);
      await link.close();
      return result;
    } catch (error) {
      link?.abort();
      if (io.signal.aborted) throw new InterruptedError();
      if (!isPassing(error)) throw error;
      const retryIn = Math.max(backoff.next(), waitOf(error));
      if (performance.now() + retryIn - since > patience) {
        throw new CommandError("Cannot go on for now", {
          cause: error,
          hint: "the same command goes on where it was",
        });
      }
      if (wasOnline && !quiet) {
        await note(offlineText(error));
      }
      wasOnline = false;
      await pause(retryIn, io.signal);
    } finally {
      io.signal.removeEventListener("abort", drop);
    }
  }
}

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
  return error instanceof RefusedError || code === "ERR_UNREACHABLE";
}

function waitOf(error: unknown): number {
  if (error instanceof AccountError) return error.retryIn * 1_000;
  return error instanceof RefusedError ? error.retryAfter * 1_000 : 0;
}
