import { lutimesSync } from "node:fs";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { removeAll } from "../../../lib/transfer/tree/part_directory.ts";
import { scan } from "../../../lib/transfer/tree/scan.ts";
import type {
  Manifest,
  TreeEntry,
} from "../../../lib/transfer/tree/tree_entry.ts";
import { TreeSource } from "../../../lib/transfer/tree/tree_source.ts";

/** Runs `body` in a directory of its own, which is gone afterwards. */
export async function inTemp(
  body: (directory: string) => Promise<void> | void,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    removeAll(directory);
  }
}

/** Random bytes with runs of zeros in them, so that a reader of holes has something to get wrong. */
export function content(size: number): Bytes {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 50_000) {
    bytes.set(randomBytes(Math.min(30_000, size - at)), at);
  }
  return bytes;
}

/** Makes what `entries` say beneath `directory`. */
export function makeTree(
  directory: string,
  entries: readonly TreeEntry[],
): void {
  for (const entry of entries) {
    const path = `${directory}/${entry.path}`;
    if (entry.kind === "directory") Deno.mkdirSync(path);
    else if (entry.kind === "link") Deno.symlinkSync(entry.target, path);
    else Deno.writeFileSync(path, content(entry.size));
  }
  for (const entry of entries.toReversed()) {
    const path = `${directory}/${entry.path}`;
    const time = new Date(entry.modified);
    if (entry.kind === "link") {
      // Half a millisecond more: the platform rounds down what is a fraction in binary.
      const seconds = (entry.modified + 0.5) / 1000;
      lutimesSync(path, seconds, seconds);
      continue;
    }
    Deno.utimeSync(path, time, time);
    Deno.chmodSync(path, entry.mode);
  }
}

/** A tree of every kind of entry, with the sizes at which something changes. */
export const EVERY_KIND: Manifest = {
  name: "t",
  entries: [
    { kind: "directory", path: "t", mode: 0o755, modified: 1_000_000_000_001 },
    {
      kind: "directory",
      path: "t/a",
      mode: 0o500,
      modified: 1_100_000_000_002,
    },
    {
      kind: "file",
      path: "t/a/large",
      mode: 0o640,
      modified: 3,
      size: 700_001,
    },
    {
      kind: "link",
      path: "t/a/link",
      mode: 0o777,
      modified: 4_000,
      target: "..",
    },
    { kind: "directory", path: "t/empty", mode: 0o711, modified: 5_000 },
    { kind: "file", path: "t/nothing", mode: 0o600, modified: 6_000, size: 0 },
    { kind: "file", path: "t/one", mode: 0o777, modified: 7_000, size: 1 },
    {
      kind: "file",
      path: "t/small",
      mode: 0o444,
      modified: 8_000,
      size: 9_000,
    },
    {
      kind: "file",
      path: "t/\u{1f600}",
      mode: 0o400,
      modified: 9,
      size: 65_536,
    },
    { kind: "file", path: "t/\u{1f600}0", mode: 0o644, modified: 10, size: 0 },
  ],
};

/** The whole sequence of a transfer of `paths`. */
export async function sequenceOf(paths: readonly string[]): Promise<Bytes> {
  await using source = new TreeSource(await scan(paths));
  return await source.read(0, source.length);
}

/** Everything that is to be kept of `paths`, in a form that compares. */
export async function pictureOf(paths: readonly string[]): Promise<unknown> {
  const found = await scan(paths);
  return found.manifest.entries.map((entry, i) => {
    const source = found.sources[i];
    return source === undefined
      ? entry
      : { ...entry, content: Deno.readFileSync(source.path).toHex() };
  });
}
