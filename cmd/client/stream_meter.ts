import type { OnionStream, StreamOpener } from "../../lib/onion/mod.ts";

/** Counts what goes through an opener, for whoever watches. */
export class StreamMeter implements StreamOpener {
  readonly #opener: StreamOpener;
  #open = 0;
  #opened = 0;
  #failed = 0;
  #received = 0;
  #sent = 0;

  /** Everything is asked of `opener`. */
  constructor(opener: StreamOpener) {
    this.#opener = opener;
  }

  /** Streams that are open now. */
  get streams(): number {
    return this.#open;
  }

  /** Streams that were opened so far. */
  get opened(): number {
    return this.#opened;
  }

  /** Streams that did not come to be. */
  get failed(): number {
    return this.#failed;
  }

  /** Bytes that came through all streams. */
  get received(): number {
    return this.#received;
  }

  /** Bytes that left through all streams. */
  get sent(): number {
    return this.#sent;
  }

  /** As {@linkcode StreamOpener.open}. */
  async open(
    host: string,
    port: number,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<OnionStream> {
    try {
      const stream = await this.#opener.open(host, port, isolation, signal);
      this.#opened++;
      return this.#metered(stream);
    } catch (error) {
      this.#failed++;
      throw error;
    }
  }

  /** As {@linkcode StreamOpener.resolve}. */
  resolve(
    name: string,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    return this.#opener.resolve(name, isolation, signal);
  }

  #metered(stream: OnionStream): OnionStream {
    this.#open++;
    let closed = false;
    return {
      read: async (buffer) => {
        const count = await stream.read(buffer);
        this.#received += count ?? 0;
        return count;
      },
      write: async (bytes) => {
        const count = await stream.write(bytes);
        this.#sent += count;
        return count;
      },
      closeWrite: () => stream.closeWrite(),
      close: () => {
        if (!closed) this.#open--;
        closed = true;
        stream.close();
      },
    };
  }
}
