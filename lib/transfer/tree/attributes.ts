import { lutimesSync } from "node:fs";
import type { PartDirectory } from "./part_directory.ts";
import { removeAll } from "./part_directory.ts";
import type { LinkEntry, TreeEntry } from "./tree_entry.ts";

/** Entries between two moments at which others may run. */
const ENTRIES_AT_ONCE = 1024;

/**
 * Completes what is received, but for what lies at the top: makes the links, now that nothing is
 * written any more that could follow them, then gives everything its mode and time. Directories come
 * behind what they hold, which would change their times. May be done twice.
 */
export async function complete(
  part: PartDirectory,
  entries: readonly TreeEntry[],
  isPlaced: (entry: TreeEntry) => boolean,
): Promise<void> {
  let asked = 0;
  const breathe = async () => {
    if (++asked % ENTRIES_AT_ONCE !== 0) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  for (const entry of entries) {
    if (entry.kind !== "link" || isPlaced(entry)) continue;
    makeLink(entry, part.at(entry.path));
    await breathe();
  }
  // From the last to the first: what a directory holds stands behind it.
  for (const entry of entries.toReversed()) {
    if (entry.kind === "link" || !entry.path.includes("/")) continue;
    if (isPlaced(entry)) continue;
    setAttributes(entry, part.at(entry.path));
    await breathe();
  }
}

/** Gives the file or directory at `path` the mode and time of `entry`. */
export function setAttributes(entry: TreeEntry, path: string): void {
  const modified = new Date(entry.modified);
  Deno.utimeSync(path, modified, modified);
  // Of the modes Windows knows but one bit.
  if (Deno.build.os !== "windows") Deno.chmodSync(path, entry.mode);
}

function makeLink(entry: LinkEntry, path: string): void {
  removeAll(path);
  Deno.symlinkSync(entry.target, path);
  // Half a millisecond more: the platform rounds down what is a fraction in binary.
  const seconds = (entry.modified + 0.5) / 1000;
  lutimesSync(path, seconds, seconds);
}
