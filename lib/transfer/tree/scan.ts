import type { SourceFile } from "./source_file.ts";
import type { Manifest, TreeEntry } from "./tree_entry.ts";
import {
  ANY_DISK,
  checkName,
  checkPath,
  checkTarget,
  comparePaths,
} from "./entry_path.ts";
import { ScanError } from "./scan_error.ts";
import { fingerprintOf } from "./source_file.ts";

/** Entries between two moments at which others may run, while the file system is asked. */
const ENTRIES_AT_ONCE = 1024;

/** Something beneath what was named that is not sent. */
export interface Skipped {
  /** As it would be called in the manifest; it may hold characters that deceive a terminal. */
  readonly path: string;
  /** A few words: "a socket". */
  readonly why: string;
}

/** What is to be sent, as it was found. */
export interface Scan {
  /** The same for the same tree, whatever the order in which the disk gives it. */
  readonly manifest: Manifest;
  /** Of every entry of the manifest that is a file, at the same index; of others nothing. */
  readonly sources: readonly (SourceFile | undefined)[];
  /** What was left out. The user wants to hear of it. */
  readonly skipped: readonly Skipped[];
}

/**
 * Finds all that lies at and beneath `paths`, with permissions and times. A link that is itself named
 * is followed, links beneath never (as `cp -RH` does): those that point out of what is sent are left
 * out, as is whatever cannot be read or is neither file, directory nor link.
 *
 * Every path is sent under its last name; that of "." is the name of the directory which it is.
 *
 * @throws {ScanError} if nothing is named, one does not exist, is no file or directory, cannot be
 * read or has a name that cannot be sent, or if two have the same name.
 */
export async function scan(paths: readonly string[]): Promise<Scan> {
  if (paths.length === 0) throw new ScanError("Cannot offer: nothing is named");
  const named = new Map<string, string>();
  const walk = new Walk();
  for (const path of paths) {
    const name = baseName(path);
    const other = named.get(name);
    if (other !== undefined) {
      throw new ScanError(
        `Cannot offer ${other} and ${path}: both are called ${name}`,
      );
    }
    named.set(name, path);
    await walk.begin(path, name);
  }
  const name = named.size === 1 ? [...named.keys()][0]! : `${named.size} files`;
  return walk.done(name);
}

/** An entry and, of a file, where it lies. */
interface Found {
  readonly entry: TreeEntry;
  readonly source: SourceFile | undefined;
}

class Walk {
  readonly #found: Found[] = [];
  readonly #skipped: Skipped[] = [];
  /** Directories that were found and not yet read: absolute path and path in the manifest. */
  readonly #pending: [string, string][] = [];
  #asked = 0;

  async begin(path: string, name: string): Promise<void> {
    try {
      const real = Deno.realPathSync(path);
      checkName(name, ANY_DISK);
      const why = this.#add(real, name, Deno.lstatSync(real));
      if (why !== undefined) throw new Error(`it is ${why}`);
      if (this.#pending.length > 0) Deno.readDirSync(real);
    } catch (cause) {
      const seen = cause instanceof Error ? cause.message : String(cause);
      throw new ScanError(`Cannot offer ${path}: ${seen}`, { cause });
    }
    for (;;) {
      const next = this.#pending.pop();
      if (next === undefined) return;
      await this.#readDirectory(...next);
    }
  }

  done(name: string): Scan {
    // Native comparison is many times as fast, and right where no name has a surrogate.
    const plain = this.#found.every((each) => !SURROGATE.test(each.entry.path));
    this.#found.sort((a, b) =>
      plain
        ? (a.entry.path < b.entry.path ? -1 : 1)
        : comparePaths(a.entry.path, b.entry.path)
    );
    return {
      manifest: { name, entries: this.#found.map((each) => each.entry) },
      sources: this.#found.map((each) => each.source),
      skipped: this.#skipped.sort((a, b) => comparePaths(a.path, b.path)),
    };
  }

  async #readDirectory(real: string, path: string): Promise<void> {
    let names: string[];
    try {
      names = Array.from(Deno.readDirSync(real), (each) => each.name);
    } catch (error) {
      // The directory itself is kept, empty.
      this.#skip(path, `a directory that cannot be read (${codeOf(error)})`);
      return;
    }
    for (const name of names) {
      if (++this.#asked % ENTRIES_AT_ONCE === 0) {
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      const inside = `${path}/${name}`;
      const absolute = real.endsWith(SEPARATOR)
        ? real + name
        : real + SEPARATOR + name;
      try {
        const why = refused(() => checkPath(inside, ANY_DISK)) ??
          this.#add(absolute, inside, Deno.lstatSync(absolute));
        if (why !== undefined) this.#skip(inside, why);
      } catch (error) {
        this.#skip(inside, `a file that cannot be read (${codeOf(error)})`);
      }
    }
  }

  /** Takes what lies at `real`, or tells why not. Throws what the file system says. */
  #add(real: string, path: string, info: Deno.FileInfo): string | undefined {
    const mode = (info.mode ?? (info.isDirectory ? 0o755 : 0o644)) & 0o777;
    const modified = Math.max(0, info.mtime?.getTime() ?? 0);
    if (info.isFile) {
      Deno.openSync(real).close();
      const source = { path: real, fingerprint: fingerprintOf(info) };
      this.#found.push({
        entry: { kind: "file", path, mode, modified, size: info.size },
        source,
      });
    } else if (info.isDirectory) {
      const entry = { kind: "directory", path, mode, modified } as const;
      this.#found.push({ entry, source: undefined });
      this.#pending.push([real, path]);
    } else if (info.isSymlink) {
      const target = Deno.readLinkSync(real);
      const why = refused(() => checkTarget(path, target, ANY_DISK));
      if (why !== undefined) return "a link that leads out of what is sent";
      const entry = { kind: "link", path, mode, modified, target } as const;
      this.#found.push({ entry, source: undefined });
    } else {
      return kindOf(info);
    }
    return undefined;
  }

  #skip(path: string, why: string): void {
    this.#skipped.push({ path, why });
  }
}

/** Real paths of Windows take no other. */
const SEPARATOR = Deno.build.os === "windows" ? "\\" : "/";

const SURROGATE = /[\ud800-\udfff]/;

/** Why `check` refuses, if it does. */
function refused(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return `a name with ${text.replace(/^.*: it has /, "")}`;
  }
}

function kindOf(info: Deno.FileInfo): string {
  if (info.isFifo) return "a named pipe";
  if (info.isSocket) return "a socket";
  if (info.isBlockDevice || info.isCharDevice) return "a device";
  return "neither file, directory nor link";
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return typeof code === "string" && code !== "" ? code : String(error);
}

/** The last name in `path`; of one that ends in dots, that of the directory which they mean. */
function baseName(path: string): string {
  const separators = Deno.build.os === "windows" ? /[\\/]+/ : /\/+/;
  const last = path.split(separators).findLast((each) => each !== "") ?? "";
  if (last !== "" && last !== "." && last !== "..") return last;
  try {
    const real = Deno.realPathSync(path === "" ? "." : path);
    return real.split(separators).findLast((each) => each !== "") ?? "";
  } catch (cause) {
    throw new ScanError(`Cannot offer ${path}: it cannot be found`, { cause });
  }
}
