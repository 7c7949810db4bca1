import { CommandError } from "../errors.ts";
import type { Io } from "../io.ts";

/**
 * Writes `text`, which everybody may read, to a new file, or to standard output where none is named.
 *
 * @throws {CommandError} if the file exists or cannot be written.
 */
export async function writePublic(
  io: Io,
  path: string | undefined,
  text: string,
): Promise<void> {
  if (path === undefined) {
    await io.stdout.write(text);
    return;
  }
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
  } catch (cause) {
    throw cause instanceof Deno.errors.AlreadyExists
      ? new CommandError(`Cannot write ${path}: it exists already`, {
        cause,
        hint: "choose another name, or move the old file away first",
      })
      : new CommandError(`Cannot write ${path}`, { cause });
  }
}
