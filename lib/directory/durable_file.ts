import type { Bytes } from "../protocol/mod.ts";
import { randomBytes } from "../protocol/mod.ts";

/** The whole file, or `undefined` if there is none. @throws whatever else the file system says. */
export async function readDurable(path: string): Promise<Bytes | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Replaces a file so that after a crash or power failure there is the old one or the whole new one,
 * and the new one once this has resolved. Directories that are missing are made for the owner alone.
 *
 * @throws whatever the file system says; the old file is there still.
 */
export async function replaceDurable(
  path: string,
  bytes: Bytes,
): Promise<void> {
  const directory = path.slice(0, Math.max(path.lastIndexOf("/"), 0)) || ".";
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(8).toHex()}.new`;
  try {
    {
      using file = await Deno.open(temporary, {
        write: true,
        createNew: true,
        mode: 0o600,
      });
      for (let at = 0; at < bytes.length;) {
        at += await file.write(bytes.subarray(at));
      }
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
  await syncDirectory(directory);
}

/** A new name is on disk only once its directory is. Not every system lets a directory be opened. */
async function syncDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(path, { read: true });
    await directory.sync();
  } catch (error) {
    if (Deno.build.os !== "windows") throw error;
  }
}
