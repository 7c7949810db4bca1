import { addressGroup } from "../../lib/net/mod.ts";
import type { Incoming } from "../../lib/net/mod.ts";
import type { ByteStream } from "../../lib/protocol/mod.ts";

/** A connection in memory that has come in to a relay. */
export class MemoryIncoming implements Incoming {
  readonly group: string;
  readonly hostname: string;
  readonly #stream: ByteStream;
  readonly #hurry: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Deadlines pass `hurry` times faster. */
  constructor(stream: ByteStream, hostname: string, hurry: number) {
    this.#stream = stream;
    this.hostname = hostname;
    this.group = addressGroup(hostname);
    this.#hurry = hurry;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#stream.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#stream.write(bytes);
  }

  deadline(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.#closed || milliseconds === 0) return;
    this.#timer = setTimeout(
      () => this.close(),
      milliseconds / this.#hurry,
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    try {
      this.#stream.close();
    } catch {
      // Closed before.
    }
  }
}
