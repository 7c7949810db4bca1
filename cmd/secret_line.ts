import type { Bytes } from "../lib/protocol/mod.ts";
import { InterruptedError } from "./io.ts";

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const CTRL_U = 0x15;
const CTRL_W = 0x17;
const ESCAPE = 0x1b;
const DELETE = 0x7f;

/** One line typed on a terminal that does not echo; feed it the bytes of the keys. */
export class SecretLine {
  #bytes: number[] = [];

  /**
   * Takes the keys up to the end of the line.
   *
   * @returns What comes after the line, or null when the line goes on.
   * @throws {InterruptedError} On Ctrl-C, or Ctrl-D on an empty line.
   */
  feed(keys: Bytes): Bytes | null {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (key === NEWLINE || key === RETURN) return keys.subarray(i + 1);
      // An arrow or function key: it comes as one chunk with its escape, and has no meaning here.
      if (key === ESCAPE) return null;
      this.#take(key);
    }
    return null;
  }

  /** What has been typed, with U+FFFD for bytes that are no UTF-8. */
  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.#bytes));
  }

  #take(key: number): void {
    if (key === CTRL_C || (key === CTRL_D && this.#bytes.length === 0)) {
      throw new InterruptedError();
    }
    if (key === CTRL_U || key === CTRL_W) this.#bytes = [];
    else if (key === BACKSPACE || key === DELETE) this.#erase();
    else if (key >= 0x20) this.#bytes.push(key);
  }

  /** Removes one character: the continuation bytes (10xxxxxx) of UTF-8 and their first byte. */
  #erase(): void {
    let byte = this.#bytes.pop();
    while (byte !== undefined && (byte & 0xc0) === 0x80) {
      byte = this.#bytes.pop();
    }
  }
}
