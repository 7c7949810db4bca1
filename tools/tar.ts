import type { Bytes } from "../lib/protocol/mod.ts";

const BLOCK = 512;

/** One file of an archive. */
export interface TarFile {
  /** At most 100 ASCII characters, no directories. */
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly content: Bytes;
}

/**
 * A POSIX ustar archive of `files` (pax, IEEE Std 1003.1 "ustar Interchange Format"), in parts so that
 * large contents are not copied. Owner, group and time are zero: the same files give the same bytes.
 *
 * @throws {RangeError} If a name does not fit.
 */
export function tarParts(files: readonly TarFile[]): Bytes[] {
  const parts: Bytes[] = [];
  for (const file of files) {
    parts.push(header(file), file.content);
    const over = file.content.length % BLOCK;
    if (over > 0) parts.push(new Uint8Array(BLOCK - over));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return parts;
}

function header({ name, mode, content }: TarFile): Bytes {
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) {
    throw new RangeError(`Cannot archive ${name}: the name does not fit`);
  }
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string) =>
    block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, `${octal(mode, 7)}\0`);
  put(108, `${octal(0, 7)}\0`);
  put(116, `${octal(0, 7)}\0`);
  put(124, `${octal(content.length, 11)}\0`);
  put(136, `${octal(0, 11)}\0`);
  put(148, " ".repeat(8)); // the checksum counts as blanks while it is summed
  put(156, "0");
  put(257, "ustar\x0000");
  put(148, `${octal(block.reduce((sum, byte) => sum + byte, 0), 6)}\0 `);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}
