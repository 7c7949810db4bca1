import type { Bytes } from "../../protocol/mod.ts";
import { PartError } from "./part_error.ts";

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const IS_PART = /^\.sotto-.*\.part$/i;

/** Whether `name` could be that of a part directory; nothing that is received may be called so. */
export function isPartName(name: string): boolean {
  return IS_PART.test(name);
}

/**
 * `.sotto-ID.part`, in the directory into which something is received: on the same disk as the place
 * where it will lie, closed to everybody else (0700), and held by one process at a time.
 *
 *     lock       held while a process writes
 *     manifest   as it came, once it is complete
 *     tree/      what is received
 *     names      under which names it is being put in its place (see `place`)
 *     replaced-N what had such a name before
 */
export class PartDirectory {
  /** Where the things received will lie in the end. */
  readonly directory: string;
  /** Of the part directory. */
  readonly path: string;
  readonly #lock: Deno.FsFile;

  private constructor(directory: string, path: string, lock: Deno.FsFile) {
    this.directory = directory;
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Takes the part directory `id`, and makes it if `fresh`; whatever it held is then gone.
   *
   * @param id 1 to 64 letters, digits, "-" and "_".
   * @throws {PartError} if another process holds it; if it is not there, unless it was to be made.
   * @throws {RangeError} for any other id.
   */
  static open(directory: string, id: string, fresh: boolean): PartDirectory {
    if (!ID.test(id)) {
      throw new RangeError("Cannot receive: the id is not a plain word");
    }
    const path = `${directory}/.sotto-${id}.part`;
    if (fresh) makeDirectory(path);
    checkPrivate(path);
    const lock = Deno.openSync(`${path}/lock`, { write: true, create: true });
    const part = new PartDirectory(directory, path, lock);
    try {
      if (!lock.tryLockSync(true)) {
        throw new PartError(
          `Cannot receive into ${path}: another process does`,
          "ERR_PART_BUSY",
        );
      }
      if (fresh) part.#clear();
      return part;
    } catch (error) {
      part.close();
      throw error;
    }
  }

  /** Where the entry with the path `entry` is received. */
  at(entry: string): string {
    return `${this.path}/tree/${entry}`;
  }

  /** Where `file`, one of those that the part directory itself holds, lies. */
  own(file: string): string {
    return `${this.path}/${file}`;
  }

  /** Keeps the manifest for a later process. */
  writeManifest(bytes: Bytes): void {
    Deno.writeFileSync(this.own("manifest"), bytes, { mode: 0o600 });
  }

  /**
   * The manifest that was kept.
   *
   * @throws {PartError} if there is none.
   */
  readManifest(): Bytes {
    try {
      return Deno.readFileSync(this.own("manifest"));
    } catch (cause) {
      throw new PartError(
        `Cannot go on in ${this.path}: no manifest is there`,
        "ERR_PART_LOST",
        cause,
      );
    }
  }

  /** Lets another process have it. */
  close(): void {
    this.#lock.close();
  }

  /** Removes it and all that it holds. */
  remove(): void {
    // Windows does not remove what is open.
    if (Deno.build.os === "windows") this.close();
    removeAll(this.path);
    if (Deno.build.os !== "windows") this.close();
  }

  #clear(): void {
    for (const { name } of Deno.readDirSync(this.path)) {
      if (name !== "lock") removeAll(this.own(name));
    }
    Deno.mkdirSync(this.own("tree"), { mode: 0o700 });
  }
}

/** Removes a file or a directory with all that it holds, whatever their modes. */
export function removeAll(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    // A directory that came without the right to change it, and had got its mode already.
    unlock(path);
    Deno.removeSync(path, { recursive: true });
  }
}

function unlock(path: string): void {
  if (!Deno.lstatSync(path).isDirectory) return;
  Deno.chmodSync(path, 0o700);
  for (const { name } of Deno.readDirSync(path)) unlock(`${path}/${name}`);
}

function makeDirectory(path: string): void {
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** A link or an open directory in its place is somebody else's. */
function checkPrivate(path: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (cause) {
    throw new PartError(
      `Cannot go on in ${path}: it is not there`,
      "ERR_PART_LOST",
      cause,
    );
  }
  const open = Deno.build.os !== "windows" && ((info.mode ?? 0) & 0o077) !== 0;
  if (!info.isDirectory || open) {
    throw new PartError(
      `Cannot receive into ${path}: it is not a directory of its owner alone`,
      "ERR_PART_UNSAFE",
    );
  }
}
