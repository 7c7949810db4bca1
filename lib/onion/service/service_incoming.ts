import type { Incoming } from "../../net/mod.ts";
import type { CircuitStream } from "../stream/circuit_stream.ts";

/**
 * A stream that has come in to a service, as a connection looks that has come in to a listener. Where it
 * comes from nobody knows, so that all of them are of one group.
 */
export class ServiceIncoming implements Incoming {
  readonly group = "onion";
  readonly hostname = "";
  readonly #stream: CircuitStream;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(stream: CircuitStream) {
    this.#stream = stream;
  }

  /** @throws {StreamError} if the stream broke. */
  read(buffer: Uint8Array): Promise<number | null> {
    return this.#stream.read(buffer);
  }

  /** @throws {StreamError} if the stream broke. */
  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  deadline(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.#closed || milliseconds === 0) return;
    this.#timer = setTimeout(() => this.close(), milliseconds);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    // What was written is to be read as far as the end.
    this.#stream.closeWrite();
    this.#stream.close();
  }
}
