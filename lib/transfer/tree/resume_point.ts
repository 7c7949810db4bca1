import type { Plan } from "./head_reader.ts";
import type { PartDirectory } from "./part_directory.ts";
import { removeAll } from "./part_directory.ts";
import { PartError } from "./part_error.ts";
import { contentSize } from "./tree_entry.ts";

/**
 * Brings what was received back to the state in which it was at `offset`: what must be there is looked
 * at, what came behind it is removed.
 *
 * @param placed names at the top that lie in their place already: if there are any, all had been made,
 * and nothing is removed.
 * @returns the index of the first entry that is to be made; the one before may be a file of which a
 * part is there.
 * @throws {PartError} if something is missing.
 */
export function rewind(
  part: PartDirectory,
  { manifest, layout }: Plan,
  offset: number,
  placed: ReadonlySet<string>,
): number {
  const { contentStart, padded } = layout;
  if (!(offset >= contentStart && offset <= padded)) {
    throw lost(part, `offset ${offset} is not in it`);
  }
  const { entries } = manifest;
  const next = placed.size > 0 ? entries.length : layout.firstFrom(offset);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (placed.has(entry.path.split("/", 1)[0]!)) continue;
    const path = part.at(entry.path);
    // What lies in a directory is removed with it, or is not there.
    if (i >= next) removeAll(path);
    else if (entry.kind === "link") continue;
    else {
      const info = look(part, path);
      const wanted = Math.min(
        contentSize(entry),
        offset - layout.start(i),
      );
      const fits = entry.kind === "directory"
        ? info.isDirectory
        : info.isFile && info.size >= wanted;
      if (!fits) throw lost(part, "something is not as it was left");
      // They may have got their own modes already, of which some would be in the way.
      if (Deno.build.os !== "windows") {
        Deno.chmodSync(path, info.isDirectory ? 0o700 : 0o600);
      }
    }
  }
  return next;
}

function look(part: PartDirectory, path: string): Deno.FileInfo {
  try {
    return Deno.lstatSync(path);
  } catch (cause) {
    throw lost(part, "something is missing", cause);
  }
}

function lost(part: PartDirectory, seen: string, cause?: unknown): PartError {
  return new PartError(
    `Cannot go on in ${part.path}: ${seen}`,
    "ERR_PART_LOST",
    cause,
  );
}
