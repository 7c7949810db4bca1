import { StoreError } from "./store_error.ts";

/**
 * Makes an empty file that only its owner can read, unless there is one: SQLite would make it readable
 * for all. An empty file is a database without tables to it.
 */
export function createPrivate(path: string): void {
  try {
    Deno.openSync(path, { createNew: true, write: true, mode: 0o600 }).close();
  } catch {
    // It is there already; and what else is wrong with the path SQLite says better.
  }
}

/**
 * Writes `content` to a file that only its owner can read, and waits until it is on disk.
 *
 * @throws {StoreError} if there is a file that is not empty, or it cannot be written.
 */
export function writePrivate(path: string, content: Uint8Array): void {
  try {
    using file = Deno.openSync(path, {
      create: true,
      write: true,
      mode: 0o600,
    });
    if (file.statSync().size > 0) throw new Error("the file is not empty");
    for (let at = 0; at < content.length;) {
      at += file.writeSync(content.subarray(at));
    }
    file.syncSync();
  } catch (cause) {
    throw new StoreError(
      "Cannot write the copy: the file is not empty, or cannot be written",
      "ERR_STORE_UNREACHABLE",
      "Choose a path in a folder that you may write to, where there is no file yet.",
      cause,
    );
  }
}
