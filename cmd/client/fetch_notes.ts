import { readPrivateFile, writePrivateFile } from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { exists } from "../key_file.ts";
import { removeIfThere } from "./remove_if_there.ts";

const FILE = /^\.sotto-([0-9a-f]{16})\.resume$/;

/** What tells files that are on their way into a directory from others there: 16 hex digits. */
export function partId(blobId: Bytes): string {
  return blobId.toHex().slice(0, 16);
}

/**
 * How far files have come that are fetched into a directory, for a process that comes after this one:
 * `.sotto-ID.resume` there, private, from when something is durable until nothing is left to do.
 *
 *     4194304          up to this offset all is on disk, in the part directory
 *     ["photos"]       all was put in its place, under these names
 */
export class FetchNotes {
  readonly #directory: string;
  readonly #path: string;

  /** `id` is a `partId`. */
  constructor(directory: string, id: string) {
    this.#directory = directory;
    this.#path = `${directory}/.sotto-${id}.resume`;
  }

  /** The offset that was noted, 0 if none was; or where all lies that was put in its place, if it is still there. */
  async read(): Promise<number | readonly string[]> {
    const noted = await this.#read();
    if (!Array.isArray(noted)) return Number.isSafeInteger(noted) ? noted : 0;
    const paths = noted.map((name) => `${this.#directory}/${name}`);
    for (const path of paths) if (!await exists(path)) return 0;
    return paths;
  }

  /** All up to `offset` is on disk. */
  async noteOffset(offset: number): Promise<void> {
    await writePrivateFile(this.#path, JSON.stringify(offset));
  }

  /** All was put in its place: at `paths`, in the directory. */
  async notePlaced(paths: readonly string[]): Promise<void> {
    const names = paths.map((path) => path.slice(this.#directory.length + 1));
    await writePrivateFile(this.#path, JSON.stringify(names));
  }

  /** Nothing is left to do. */
  async forget(): Promise<void> {
    const names = [];
    for await (const { name } of Deno.readDir(this.#directory)) {
      // Behind whoever is killed while it writes them, half of new ones may be left.
      if (`${this.#directory}/${name}`.startsWith(this.#path)) names.push(name);
    }
    // Those that count last: whoever is killed before does all of it again.
    for (const name of names.toSorted().toReversed()) {
      await removeIfThere(`${this.#directory}/${name}`);
    }
  }

  async #read(): Promise<number | string[]> {
    try {
      return JSON.parse(await readPrivateFile(this.#path));
    } catch (error) {
      const isNone = error instanceof Deno.errors.NotFound ||
        error instanceof SyntaxError;
      if (isNone) return 0;
      throw error;
    }
  }
}

/** The ids of what is on its way into `directory`, as far as there are notes of it. */
export async function notedIn(
  directory: string,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { name } of Deno.readDir(directory)) {
    const id = FILE.exec(name)?.[1];
    if (id !== undefined) ids.add(id);
  }
  return ids;
}
