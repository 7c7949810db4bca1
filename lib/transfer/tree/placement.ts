import { utf8 } from "../../protocol/mod.ts";
import { COMPONENT_LIMIT } from "./entry_path.ts";
import type { PartDirectory } from "./part_directory.ts";
import { PartError } from "./part_error.ts";
import type { TreeEntry } from "./tree_entry.ts";

/** Names at the top of what is received, and those under which they are put in their place. */
export type Names = ReadonlyMap<string, string>;

/**
 * Moves each of `tops` from the part directory to where it is to lie. The names are written down
 * before, so that a process that comes after a crash knows what has been moved.
 *
 * @param tops the entries at the top.
 * @param replace whether what has the same name makes way; otherwise "name (1)" and so on are taken,
 * for files "name (1).txt". Nothing is ever merged.
 * @returns where each lies now.
 * @throws {PartError} if one of them is gone.
 */
export function place(
  part: PartDirectory,
  tops: readonly TreeEntry[],
  replace: boolean,
): string[] {
  const before = readNames(part);
  if (!replace) removeUnfilled(part, tops, before);
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const top of tops) {
    const done = before.get(top.path);
    const name = !exists(part.at(top.path)) && done !== undefined
      ? done
      : replace
      ? top.path
      : freeName(part.directory, top, taken);
    names.set(top.path, name);
    taken.add(name);
  }
  writeNames(part, names);
  for (const [i, top] of tops.entries()) {
    const from = part.at(top.path);
    if (exists(from)) {
      if (replace) replaceBy(part, from, names.get(top.path)!, i);
      else moveToFree(part, top, names, taken);
    } else if (!before.has(top.path)) {
      throw new PartError(
        `Cannot finish ${part.path}: something is missing`,
        "ERR_PART_LOST",
      );
    }
  }
  return tops.map((top) => `${part.directory}/${names.get(top.path)!}`);
}

/** Those at the top that an earlier process has put in their place. */
export function placedBefore(part: PartDirectory): ReadonlySet<string> {
  const placed = new Set<string>();
  for (const top of readNames(part).keys()) {
    if (!exists(part.at(top))) placed.add(top);
  }
  return placed;
}

/** What had that name is kept aside until the new one has it; it goes with the part directory. */
function replaceBy(
  part: PartDirectory,
  from: string,
  name: string,
  index: number,
): void {
  const to = `${part.directory}/${name}`;
  const isDirectory = Deno.lstatSync(from).isDirectory;
  // A file takes the place of a file in one step.
  if (exists(to) && (isDirectory || Deno.lstatSync(to).isDirectory)) {
    Deno.renameSync(to, part.own(`replaced-${index}`));
  }
  Deno.renameSync(from, to);
}

/** Removes what an earlier process had made to take a name, and could not put anything under any more. */
function removeUnfilled(
  part: PartDirectory,
  tops: readonly TreeEntry[],
  before: Names,
): void {
  for (const top of tops) {
    const name = before.get(top.path);
    if (name === undefined || !exists(part.at(top.path))) continue;
    const path = `${part.directory}/${name}`;
    if (isEmpty(path, top.kind)) Deno.removeSync(path);
  }
}

/** Whether there is a file without content, or a directory with nothing in it, as for an entry of `kind`. */
function isEmpty(path: string, kind: TreeEntry["kind"]): boolean {
  if (!exists(path)) return false;
  const { isDirectory, isFile, size } = Deno.lstatSync(path);
  return kind === "directory"
    ? isDirectory &&
      Deno.readDirSync(path)[Symbol.iterator]().next().done === true
    : isFile && size === 0;
}

/** The name is made first, by a call that fails if it is there: two can never take the same one. */
function moveToFree(
  part: PartDirectory,
  top: TreeEntry,
  names: Map<string, string>,
  taken: Set<string>,
): void {
  for (;;) {
    const to = `${part.directory}/${names.get(top.path)!}`;
    try {
      if (top.kind === "directory") Deno.mkdirSync(to, { mode: 0o700 });
      else Deno.openSync(to, { write: true, createNew: true }).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      const name = freeName(part.directory, top, taken);
      names.set(top.path, name);
      taken.add(name);
      writeNames(part, names);
      continue;
    }
    try {
      // Elsewhere an empty directory is replaced in the same step.
      if (Deno.build.os === "windows") Deno.removeSync(to);
      Deno.renameSync(part.at(top.path), to);
    } catch (error) {
      Deno.removeSync(to);
      throw error;
    }
    return;
  }
}

function freeName(
  directory: string,
  top: TreeEntry,
  taken: ReadonlySet<string>,
): string {
  for (let number = 0;; number++) {
    const name = numbered(top, number);
    if (!taken.has(name) && !exists(`${directory}/${name}`)) return name;
  }
}

/** "name (2)", of a file "name (2).txt"; shortened if it would be longer than a name may be. */
function numbered(top: TreeEntry, number: number): string {
  if (number === 0) return top.path;
  const dot = top.kind === "file" ? top.path.lastIndexOf(".") : -1;
  const end = dot > 0 ? top.path.slice(dot) : "";
  const stem = [...(dot > 0 ? top.path.slice(0, dot) : top.path)];
  for (;;) {
    const name = `${stem.join("")} (${number})${end}`;
    if (utf8(name).length <= COMPONENT_LIMIT || stem.length === 0) return name;
    stem.pop();
  }
}

function writeNames(part: PartDirectory, names: Names): void {
  const path = part.own("names");
  Deno.writeTextFileSync(`${path}.new`, JSON.stringify([...names]));
  Deno.renameSync(`${path}.new`, path);
}

function readNames(part: PartDirectory): Names {
  try {
    return new Map(JSON.parse(Deno.readTextFileSync(part.own("names"))));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Map();
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
