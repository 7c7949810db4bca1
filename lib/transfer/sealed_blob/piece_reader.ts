import type { Bytes } from "../../protocol/mod.ts";

/** Cuts a stream of pieces of any size into blocks of the size that is asked for. */
export class PieceReader {
  readonly #pieces: AsyncIterator<Bytes>;
  #piece: Bytes = new Uint8Array(0);
  #buffer: Bytes = new Uint8Array(0);

  /** Takes a piece when it is needed, never one ahead. */
  constructor(pieces: AsyncIterable<Bytes>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /**
   * The next `length` bytes; fewer if the stream ends. They are a view that the next read, or
   * whoever makes the pieces, may overwrite.
   */
  async read(length: number): Promise<Bytes> {
    let filled = 0;
    while (filled < length) {
      if (this.#piece.length === 0) {
        const next = await this.#pieces.next();
        if (next.done) break;
        this.#piece = next.value;
      }
      const part = this.#piece.subarray(0, length - filled);
      this.#piece = this.#piece.subarray(part.length);
      if (part.length === length) return part;
      if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
      this.#buffer.set(part, filled);
      filled += part.length;
    }
    return this.#buffer.subarray(0, filled);
  }

  /** Tells the stream that no more is wanted of it. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}
