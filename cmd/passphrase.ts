import { CommandError } from "./errors.ts";
import type { Io } from "./io.ts";

/** The fewest characters of a passphrase that is set anew. Old ones are taken as they are. */
export const PASSPHRASE_LEAST = 8;

/** The longest file that is read as a passphrase: 4 KiB. */
export const PASSPHRASE_FILE_LIMIT = 4096;

/** What is asked for. */
export interface PassphraseRequest {
  /** The value of `--passphrase-file`; `-` means the first line of standard input. */
  readonly file: string | undefined;
  /** What the prompt names, e.g. "Passphrase of alice". */
  readonly label: string;
  /** Set anew: asked twice, and refused when shorter than {@linkcode PASSPHRASE_LEAST}. */
  readonly fresh: boolean;
}

/**
 * The passphrase, from the first of: the file that `--passphrase-file` names, the one that
 * `SOTTO_PASSPHRASE_FILE` names, a prompt on the terminal. Never from the command line, where every
 * other user of the machine could read it. Of a file all counts but one line break at its end. The text
 * is normalised (Unicode NFC), since keyboards differ in how they compose letters.
 *
 * @throws {CommandError} If there is neither file nor terminal (so a script never hangs), the file
 * cannot be used, the two prompts differ or a fresh passphrase is too short.
 */
export async function readPassphrase(
  io: Io,
  request: PassphraseRequest,
): Promise<string> {
  const file = request.file ?? io.env("SOTTO_PASSPHRASE_FILE");
  const typed = file === undefined
    ? await ask(io, request)
    : file === "-"
    ? await io.readLine() ?? ""
    : await readFile(file);
  const passphrase = typed.normalize("NFC");
  if (passphrase === "") {
    throw new CommandError("Cannot use the passphrase: it is empty");
  }
  if (passphrase.includes("\ufffd")) {
    throw new CommandError("Cannot use the passphrase: it is no UTF-8 text");
  }
  if (request.fresh && [...passphrase].length < PASSPHRASE_LEAST) {
    throw new CommandError(
      `Cannot use the passphrase: it has fewer than ${PASSPHRASE_LEAST} characters`,
      { hint: "four or five random words are easy to keep and hard to guess" },
    );
  }
  return passphrase;
}

async function ask(io: Io, request: PassphraseRequest): Promise<string> {
  const first = await io.promptSecret(`${request.label}: `);
  if (first === null) {
    throw new CommandError(
      "Cannot ask for the passphrase: standard input is no terminal",
      { hint: "name a file with --passphrase-file or SOTTO_PASSPHRASE_FILE" },
    );
  }
  if (!request.fresh || [...first].length < PASSPHRASE_LEAST) return first;
  const second = await io.promptSecret(`${request.label}, again: `);
  if (second !== first) {
    throw new CommandError("Cannot use the passphrase: the two differ");
  }
  return first;
}

async function readFile(path: string): Promise<string> {
  try {
    using file = await Deno.open(path);
    const buffer = new Uint8Array(PASSPHRASE_FILE_LIMIT + 1);
    let length = 0;
    while (length < buffer.length) {
      const read = await file.read(buffer.subarray(length));
      if (read === null) break;
      length += read;
    }
    if (length > PASSPHRASE_FILE_LIMIT) {
      throw new RangeError(`more than ${PASSPHRASE_FILE_LIMIT} bytes`);
    }
    return new TextDecoder().decode(buffer.subarray(0, length))
      .replace(/\r?\n$/, "");
  } catch (cause) {
    throw new CommandError(`Cannot read the passphrase file ${path}`, {
      cause,
      hint: "check --passphrase-file or SOTTO_PASSPHRASE_FILE",
    });
  }
}
