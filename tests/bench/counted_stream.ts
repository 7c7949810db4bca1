import type { ByteStream } from "../../lib/protocol/mod.ts";

/** A connection, and how many bytes it has carried: what TCP carries, not what it adds. */
export class CountedStream implements ByteStream {
  /** Bytes in both directions. */
  total = 0;
  #stream: ByteStream | undefined;

  /** From now on it is `stream`. */
  count(stream: ByteStream): void {
    this.#stream = stream;
  }

  /** Counts from 0 on. */
  reset(): void {
    this.total = 0;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const length = await this.#stream!.read(buffer);
    this.total += length ?? 0;
    return length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const length = await this.#stream!.write(bytes);
    this.total += length;
    return length;
  }

  close(): void {
    this.#stream!.close();
  }
}
