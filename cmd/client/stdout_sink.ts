import { CommandError } from "../errors.ts";
import type { Output } from "../io.ts";
import { printableLines } from "../printable.ts";
import type { FetchSink } from "./fetch_resumed.ts";

/** Standard output as the place for what is fetched. A terminal is shown text only, and harmless text. */
export class StdoutSink implements FetchSink {
  readonly #out: Output;
  readonly #decoder = new TextDecoder();
  #length = 0;

  /** Writes to `out`. */
  constructor(out: Output) {
    this.#out = out;
  }

  /** Bytes that were written. */
  get length(): number {
    return this.#length;
  }

  /** Writes all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#out.isTerminal) {
      await this.#out.write(bytes);
    } else if (bytes.includes(0)) {
      throw new CommandError("Cannot show this on a terminal: it is no text", {
        hint: "--output FILE, or pipe it into a command",
      });
    } else {
      const text = this.#decoder.decode(bytes, { stream: true });
      await this.#out.write(printableLines(text));
    }
    this.#length += bytes.length;
  }

  /** What was written cannot be taken back. */
  restart(): Promise<boolean> {
    return Promise.resolve(this.#length === 0);
  }

  /** There is no later run. */
  remember(): Promise<void> {
    return Promise.resolve();
  }
}
