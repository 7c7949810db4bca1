import { MalformedError } from "../../protocol/mod.ts";

/** Most digits of the size of a chunk; 13 hexadecimal ones are a safe integer. */
const SIZE_DIGITS = 13;
/** Longest extension of a chunk, in bytes. */
const EXTENSION_LIMIT = 4_096;
/** Longest trailer, in bytes. */
const TRAILER_LIMIT = 65_536;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

type State =
  | "size"
  | "extension"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-start"
  | "trailer"
  | "trailer-lf"
  | "last-lf"
  | "done";

/**
 * Follows a body in chunks (RFC 9112 §7.1) that is carried as it is, to find its end. Nothing but the
 * grammar is let through, so that whoever reads it next finds the same end.
 */
export class ChunkScanner {
  #state: State = "size";
  #size = 0;
  #digits = 0;
  /** Of an extension or the trailer. */
  #extra = 0;

  /** Whether the body has ended. */
  get done(): boolean {
    return this.#state === "done";
  }

  /**
   * Looks at the next bytes.
   *
   * @param data is told from where to where (without the end) they are what the chunks hold.
   * @returns how many of them belong to the body; fewer than all only at its end.
   * @throws {MalformedError} if they are no chunks.
   */
  scan(
    bytes: Uint8Array,
    data?: (start: number, end: number) => void,
  ): number {
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      if (this.#state === "data") {
        const taken = Math.min(this.#size, bytes.length - at);
        data?.(at, at + taken);
        at += taken;
        this.#size -= taken;
        if (this.#size === 0) this.#state = "data-cr";
      } else {
        this.#state = this.#next(bytes[at]!);
        at++;
      }
    }
    return at;
  }

  #next(byte: number): State {
    switch (this.#state) {
      case "size":
        return this.#sizeByte(byte);
      case "extension":
        if (byte === CR) return "size-lf";
        return this.#text(byte, EXTENSION_LIMIT, "extension");
      case "size-lf":
        this.#digits = this.#extra = 0;
        return this.#expect(
          byte,
          LF,
          this.#size === 0 ? "trailer-start" : "data",
        );
      case "data-cr":
        return this.#expect(byte, CR, "data-lf");
      case "data-lf":
        return this.#expect(byte, LF, "size");
      case "trailer-start":
        if (byte === CR) return "last-lf";
        return this.#text(byte, TRAILER_LIMIT, "trailer");
      case "trailer":
        if (byte === CR) return "trailer-lf";
        return this.#text(byte, TRAILER_LIMIT, "trailer");
      case "trailer-lf":
        return this.#expect(byte, LF, "trailer-start");
      case "last-lf":
        return this.#expect(byte, LF, "done");
      default:
        throw malformed();
    }
  }

  #sizeByte(byte: number): State {
    const digit = hexDigit(byte);
    if (digit !== undefined) {
      if (++this.#digits > SIZE_DIGITS) throw malformed();
      this.#size = this.#size * 16 + digit;
      return "size";
    }
    if (this.#digits === 0) throw malformed();
    if (byte === CR) return "size-lf";
    if (byte === SEMICOLON) return "extension";
    throw malformed();
  }

  #text(byte: number, limit: number, state: State): State {
    const isText = byte === 0x09 || (byte >= 0x20 && byte !== 0x7f);
    if (!isText || ++this.#extra > limit) throw malformed();
    return state;
  }

  #expect(byte: number, expected: number, state: State): State {
    if (byte !== expected) throw malformed();
    return state;
  }
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

function malformed(): MalformedError {
  return new MalformedError("Cannot read a body: it is not in chunks");
}
