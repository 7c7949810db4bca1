import { writeAll } from "../../protocol/mod.ts";
import type { OnionStream } from "../stream/opener.ts";
import { StreamInput } from "./stream_input.ts";

/** How long a client may take to read its last answer, in milliseconds. */
const LINGER = 2_000;
const DISCARD_BYTES = 16_384;

/** The connection of a client: what it says, and what it is told. */
export class ClientConnection {
  /** What it says. */
  readonly input: StreamInput;
  readonly #stream: OnionStream;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Takes over `stream`. */
  constructor(stream: OnionStream) {
    this.#stream = stream;
    this.input = new StreamInput(stream);
  }

  /** Whether it was closed here. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Closes the connection after `milliseconds`, unless called again before; 0 lifts it. */
  deadline(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (milliseconds === 0 || this.#closed) return;
    this.#timer = setTimeout(() => this.close(), milliseconds);
  }

  /** Says all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#stream, bytes);
  }

  /** Nothing more will be said. */
  async closeWrite(): Promise<void> {
    await this.#stream.closeWrite();
  }

  /**
   * Says `bytes` as the last thing and waits a little for the client to read it: a connection that is
   * closed with something unread in it is reset, and the answer lost.
   */
  async finish(bytes: Uint8Array): Promise<void> {
    this.deadline(LINGER);
    try {
      await this.write(bytes);
      await this.closeWrite();
      const buffer = new Uint8Array(DISCARD_BYTES);
      while (await this.input.read(buffer) !== null);
    } catch {
      // Gone, or too slow; there is nothing more to say.
    }
    this.close();
  }

  /** Lets go of it; may be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    closeStream(this.#stream);
  }
}

/** Closes what may be closed already. */
export function closeStream(stream: OnionStream): void {
  try {
    stream.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
