import { toBytes } from "@std/streams";
import { TEXT_LIMIT } from "../../lib/mailbox/mod.ts";
import { fromUtf8, utf8 } from "../../lib/protocol/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";

/** One line break at the end of a file or of standard input is not part of the text. */
const LINE_BREAK = /\r?\n$/;
const READ_LIMIT = TEXT_LIMIT + 2;

/**
 * A text to send: the argument, the content of the file ("-": standard input), or standard input.
 *
 * @throws {UsageError} if there are both argument and file.
 * @throws {CommandError} if it is empty, longer than 64 KiB, no Unicode text or cannot be read.
 */
export async function readText(
  io: Io,
  argument: string | undefined,
  file: string | undefined,
): Promise<string> {
  if (argument !== undefined && file !== undefined) {
    throw new UsageError("a text and --file exclude each other");
  }
  if (argument !== undefined) return checked(argument);
  if (io.stdin.isTerminal && file === undefined) {
    await io.stderr.write("Write the text; Ctrl-D on an empty line ends it.\n");
  }
  const bytes = file === undefined || file === "-"
    ? await readLimited(() => io.stdin.read())
    : await readFile(file);
  return checked(decoded(bytes).replace(LINE_BREAK, ""));
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    using file = await Deno.open(path);
    return await readLimited(async () => {
      const buffer = new Uint8Array(READ_LIMIT);
      const length = await file.read(buffer);
      return length === null ? null : buffer.subarray(0, length);
    });
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw new CommandError(`Cannot read ${path}`, { cause });
  }
}

async function readLimited(
  read: () => Promise<Uint8Array | null>,
): Promise<Uint8Array> {
  let length = 0;
  return await toBytes(
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        const chunk = await read();
        if (chunk === null) return controller.close();
        length += chunk.length;
        if (length > READ_LIMIT) throw tooLong();
        controller.enqueue(chunk);
      },
    }),
  );
}

function decoded(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new CommandError("Cannot send: it is no UTF-8 text", {
      cause,
      hint: "letters carry texts only",
    });
  }
}

function checked(text: string): string {
  if (text === "") throw new CommandError("Cannot send: the text is empty");
  // A lone surrogate would arrive as another character.
  if (!text.isWellFormed()) {
    throw new CommandError("Cannot send: the text is not valid Unicode");
  }
  if (utf8(text).length > TEXT_LIMIT) throw tooLong();
  return text;
}

function tooLong(): CommandError {
  return new CommandError("Cannot send: the text is longer than 64 KiB", {
    hint: "cut it into several texts",
  });
}
