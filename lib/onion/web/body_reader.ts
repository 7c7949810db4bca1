import type { Framing } from "../front/body_framing.ts";
import { ChunkScanner } from "../front/chunk_scanner.ts";
import type { StreamInput } from "../front/stream_input.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";

/** What is read at a time, in bytes. */
const BUFFER_BYTES = 65_536;

/** Reads the body of a response, without its chunks. */
export class BodyReader {
  readonly #framing: Framing;
  readonly #input: StreamInput;
  readonly #buffer: Bytes = new Uint8Array(BUFFER_BYTES);
  readonly #scanner = new ChunkScanner();
  /** Bytes that are still to come, if that is known. */
  #left: number;

  /** Reads a body that ends as `framing` says. */
  constructor(framing: Framing, input: StreamInput) {
    this.#framing = framing;
    this.#input = input;
    this.#left = framing.kind === "none"
      ? 0
      : framing.kind === "length"
      ? framing.length
      : Infinity;
  }

  /**
   * The next bytes, which are good until the next call, or `undefined` at the end.
   *
   * @throws {MalformedError} if it ends early or is not in chunks as it should be.
   */
  async read(): Promise<Bytes | undefined> {
    while (this.#left > 0) {
      const room = Math.min(this.#left, BUFFER_BYTES);
      const count = await this.#input.read(this.#buffer.subarray(0, room));
      if (count === null) {
        if (this.#framing.kind === "end") return undefined;
        throw new MalformedError("Cannot read a body: it is cut short");
      }
      const found = this.#framing.kind === "chunked"
        ? this.#unchunk(count)
        : count;
      this.#left -= this.#framing.kind === "length" ? count : 0;
      if (found > 0) return this.#buffer.subarray(0, found);
    }
    return undefined;
  }

  /** Moves what the chunks hold to the front of the buffer; how much it is. */
  #unchunk(count: number): number {
    let found = 0;
    this.#scanner.scan(this.#buffer.subarray(0, count), (start, end) => {
      this.#buffer.copyWithin(found, start, end);
      found += end - start;
    });
    if (this.#scanner.done) this.#left = 0;
    return found;
  }
}
