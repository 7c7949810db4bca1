import type { Bytes } from "../protocol/mod.ts";
import {
  concat,
  fromUtf8,
  MalformedError,
  randomBytes,
  utf8,
} from "../protocol/mod.ts";

/** Longest private file that is read, in bytes. */
const LIMIT = 4_194_304;

/** A private file that others on this machine may read or change. */
export class UnsafeFileError extends Error {
  /** The name of this class. */
  override readonly name = "UnsafeFileError";
  /** Stable, for programs. */
  readonly code = "ERR_UNSAFE_FILE";
}

/**
 * Writes `text` so that only the owner can read it (0600) and so that after a crash or power failure
 * there is either the old file or the whole new one: a temporary file is written, flushed to disk and
 * renamed. Directories that are missing are made for the owner alone (0700).
 *
 * @throws whatever the file system says.
 */
export async function writePrivateFile(
  path: string,
  text: string,
): Promise<void> {
  await makeParent(path);
  const temporary = `${path}.${randomBytes(8).toHex()}.new`;
  try {
    await writeNew(temporary, utf8(text));
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  await flushDirectory(path);
}

/**
 * As `writePrivateFile`, but never over a file that exists: losing a key by a typing mistake is final.
 *
 * @throws {Deno.errors.AlreadyExists} if there is one.
 */
export async function createPrivateFile(
  path: string,
  text: string,
): Promise<void> {
  await makeParent(path);
  await writeNew(path, utf8(text));
  await flushDirectory(path);
}

/**
 * Reads a file that only its owner may read. A pipe will do, as the shell makes it for `<(...)`.
 *
 * @throws {UnsafeFileError} if group or others have any right to it.
 * @throws {MalformedError} if it is not UTF-8 text of at most 4 MiB.
 */
export async function readPrivateFile(path: string): Promise<string> {
  using file = await Deno.open(path, { read: true });
  // Asked of the open file, not of the name, which could change hands in between.
  const { mode } = await file.stat();
  if (mode !== null && (mode & 0o077) !== 0) {
    const seen = (mode & 0o777).toString(8).padStart(4, "0");
    throw new UnsafeFileError(
      `Cannot use ${path}: others on this machine have access to it (mode ${seen})`,
    );
  }
  const bytes = await readAll(file);
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw new MalformedError(`Cannot read ${path}: it is not text`, { cause });
  }
}

async function makeParent(path: string): Promise<void> {
  await Deno.mkdir(parentOf(path), { recursive: true, mode: 0o700 });
}

async function writeNew(path: string, bytes: Bytes): Promise<void> {
  using file = await Deno.open(path, {
    write: true,
    createNew: true,
    mode: 0o600,
  });
  try {
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
    await file.sync();
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}

/** A new name is on disk only once its directory is. Not every system lets a directory be opened. */
async function flushDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(parentOf(path), { read: true });
    await directory.sync();
  } catch (error) {
    if (Deno.build.os !== "windows") throw error;
  }
}

function parentOf(path: string): string {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  if (slash < 0) return ".";
  return slash === 0 ? path.slice(0, 1) : path.slice(0, slash);
}

async function readAll(file: Deno.FsFile): Promise<Bytes> {
  const chunks: Bytes[] = [];
  let length = 0;
  for (;;) {
    const chunk = new Uint8Array(16_384);
    const count = await file.read(chunk);
    if (count === null) return concat(...chunks);
    length += count;
    if (length > LIMIT) {
      throw new MalformedError(
        `Cannot read a private file: longer than ${LIMIT} bytes`,
      );
    }
    chunks.push(chunk.subarray(0, count));
  }
}
