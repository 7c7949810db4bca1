import type { Bytes } from "../lib/protocol/mod.ts";

/** The longest line that {@linkcode InputReader} accepts: 1 MiB. */
export const LINE_LIMIT = 1_048_576;

const NEWLINE = 10;

/** Standard input read by chunks or by lines, in any mixture; what one leaves, the other gets. */
export class InputReader {
  readonly #source: () => Promise<Bytes | null>;
  readonly #unread: Bytes[] = [];

  /** `source` gives the next bytes, or null at the end. */
  constructor(source: () => Promise<Bytes | null>) {
    this.#source = source;
  }

  /** The next bytes, or null at the end. */
  async read(): Promise<Bytes | null> {
    return this.#unread.pop() ?? await this.#source();
  }

  /** Puts bytes back in front of all that has not been read. */
  unread(bytes: Bytes): void {
    if (bytes.length > 0) this.#unread.push(bytes);
  }

  /**
   * The next line without `\n` or `\r\n`, or null at the end. Bytes that are no UTF-8 become U+FFFD.
   *
   * @throws {RangeError} If a line has more than {@linkcode LINE_LIMIT} bytes.
   */
  async readLine(): Promise<string | null> {
    const decoder = new TextDecoder();
    let line = "";
    let length = 0;
    for (;;) {
      const chunk = await this.read();
      if (chunk === null) {
        return length === 0 ? null : withoutReturn(line + decoder.decode());
      }
      const end = chunk.indexOf(NEWLINE);
      const part = end < 0 ? chunk : chunk.subarray(0, end);
      length += part.length;
      if (length > LINE_LIMIT) {
        throw new RangeError(
          `Cannot read a line: it has more than ${LINE_LIMIT} bytes`,
        );
      }
      line += decoder.decode(part, { stream: true });
      if (end >= 0) {
        this.unread(chunk.subarray(end + 1));
        return withoutReturn(line + decoder.decode());
      }
    }
  }
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
