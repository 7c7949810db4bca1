import type { Bytes, ByteStream } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import type { Parsed } from "./parsed.ts";

const READ_BYTES = 16_384;

/** More bytes than a message may have; an HTTP client can be told (431). */
export class TooLongError extends MalformedError {}

/** What comes from a stream, with a look ahead: parsed piece by piece, the rest read as bytes. */
export class StreamInput {
  readonly #stream: ByteStream;
  #buffer: Bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** A read ahead that is under way. */
  #ahead: Promise<void> | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  /** Reads from `stream`, which somebody else closes. */
  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** The first byte that was not taken, or `undefined` at the end. */
  async peek(): Promise<number | undefined> {
    return this.#start < this.#end || await this.#more()
      ? this.#buffer[this.#start]
      : undefined;
  }

  /**
   * Takes what `parse` finds at the front.
   *
   * @returns `undefined` if the stream has ended with nothing left.
   * @throws {TooLongError} if it would be longer than `limit` bytes.
   * @throws {MalformedError} if it is not what `parse` looks for, or ends in the middle.
   */
  async take<T>(
    parse: (bytes: Uint8Array) => Parsed<T> | undefined,
    limit: number,
  ): Promise<T | undefined> {
    for (;;) {
      const bytes = this.#buffer.subarray(this.#start, this.#end);
      const parsed = parse(bytes.subarray(0, limit));
      if (parsed !== undefined) {
        this.#start += parsed.length;
        return parsed.value;
      }
      if (bytes.length >= limit) {
        throw new TooLongError("Cannot read a message: it is too long");
      }
      if (!await this.#more()) {
        if (bytes.length === 0) return undefined;
        throw new MalformedError("Cannot read a message: it is cut short");
      }
    }
  }

  /** As {@linkcode ByteStream.read}. */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#start === this.#end) {
      await this.#ahead;
      if (this.#start === this.#end) {
        if (this.#failure !== undefined) throw this.#failure.error;
        return this.#ended ? null : await this.#stream.read(buffer);
      }
    }
    const count = Math.min(buffer.length, this.#end - this.#start);
    buffer.set(this.#buffer.subarray(this.#start, this.#start + count));
    this.#start += count;
    return count;
  }

  /** Puts back the last `count` bytes of what `read` gave. */
  unread(bytes: Uint8Array): void {
    const rest = this.#buffer.subarray(this.#start, this.#end);
    const joined = new Uint8Array(bytes.length + rest.length);
    joined.set(bytes);
    joined.set(rest, bytes.length);
    this.#buffer = joined;
    this.#start = 0;
    this.#end = joined.length;
  }

  /**
   * Reads ahead once, to notice that the other side goes away while something else is done.
   *
   * @returns what came of it: more bytes, the end, or a broken connection.
   */
  async watch(): Promise<"bytes" | "end" | "broken"> {
    if (this.#start === this.#end) {
      this.#ahead ??= this.#readAhead();
      await this.#ahead;
    }
    if (this.#start < this.#end) return "bytes";
    return this.#failure === undefined ? "end" : "broken";
  }

  async #readAhead(): Promise<void> {
    try {
      await this.#fill();
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#ahead = undefined;
    }
  }

  /** Reads more into the buffer; false at the end. */
  async #more(): Promise<boolean> {
    const before = this.#end - this.#start;
    await this.#ahead;
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#end - this.#start > before) return true;
    return !this.#ended && await this.#fill();
  }

  async #fill(): Promise<boolean> {
    this.#makeRoom();
    const count = await this.#stream.read(this.#buffer.subarray(this.#end));
    if (count === null) this.#ended = true;
    else this.#end += count;
    return count !== null;
  }

  #makeRoom(): void {
    const length = this.#end - this.#start;
    if (length === 0) this.#start = this.#end = 0;
    if (this.#end < this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(READ_BYTES, 2 * length));
    grown.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = grown;
    this.#start = 0;
    this.#end = length;
  }
}
