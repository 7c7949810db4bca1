import type { OnionStream } from "../stream/opener.ts";
import { StreamError } from "../stream/stream_error.ts";
import { connectionReason } from "./connection_reason.ts";

/**
 * A connection that an exit has made. What the system says when it breaks becomes a
 * {@linkcode StreamError}; an orderly end stays `null`. `close` may be called more than once.
 */
export class ExitStream implements OnionStream {
  readonly #connection: OnionStream;
  readonly #closed: () => void;
  #open = true;

  /** `closed` is called once, when the stream is let go of. */
  constructor(connection: OnionStream, closed: () => void) {
    this.#connection = connection;
    this.#closed = closed;
  }

  /**
   * Fills the front of `buffer`; how many bytes, or `null` when the destination has ended.
   *
   * @throws {StreamError} if the destination broke the connection, or it was closed here.
   */
  read(buffer: Uint8Array): Promise<number | null> {
    return this.#attempt(() => this.#connection.read(buffer));
  }

  /**
   * Writes a part of `bytes`; how many of them.
   *
   * @throws {StreamError} if the destination takes no more, or it was closed here.
   */
  write(bytes: Uint8Array): Promise<number> {
    return this.#attempt(() => this.#connection.write(bytes));
  }

  /** Tells the destination that nothing more comes; it can go on sending. */
  async closeWrite(): Promise<void> {
    try {
      await this.#connection.closeWrite();
    } catch {
      // The destination is gone, and there is nobody to tell; what is read says how it ended.
    }
  }

  /** Lets go of it; reads and writes under way fail. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#connection.close();
    this.#closed();
  }

  async #attempt<T>(action: () => Promise<T>): Promise<T> {
    if (!this.#open) throw closedHere();
    try {
      return await action();
    } catch (cause) {
      if (!this.#open) throw closedHere(cause);
      throw new StreamError(
        connectionReason(cause),
        "Cannot go on with a stream: the destination broke the connection",
        { cause },
      );
    }
  }
}

function closedHere(cause?: unknown): StreamError {
  return new StreamError("done", "Cannot use a stream: it is closed", {
    cause,
  });
}
