import type { Bytes } from "../../../lib/protocol/mod.ts";
import { concat, u32 } from "../../../lib/protocol/mod.ts";
import { paddedLength } from "../../../lib/transfer/tree/layout.ts";
import { encodeManifest } from "../../../lib/transfer/tree/manifest.ts";
import type { TreeEntry } from "../../../lib/transfer/tree/tree_entry.ts";
import type { TreeWriter } from "../../../lib/transfer/tree/tree_writer.ts";

/** Feeds `whole` from where the writer stands up to `end`, in pieces of `length`. */
export async function feed(
  writer: TreeWriter,
  whole: Bytes,
  end = whole.length,
  length = 262_144,
): Promise<void> {
  while (writer.offset < end) {
    const to = Math.min(writer.offset + length, end);
    await writer.write(writer.offset, whole.subarray(writer.offset, to));
  }
}

/** A sequence of `entries` that need not be on any disk; contents are all `fill`. */
export function sequence(entries: readonly TreeEntry[], fill = 0x61): Bytes {
  const manifest = encodeManifest({ name: "n", entries });
  let size = 0;
  for (const each of entries) size += each.kind === "file" ? each.size : 0;
  const bare = concat(
    u32(manifest.length),
    manifest,
    new Uint8Array(size).fill(fill),
  );
  const whole = new Uint8Array(paddedLength(bare.length));
  whole.set(bare);
  return whole;
}

/** A small file at the top or in a directory. */
export function file(path: string, size = 3): TreeEntry {
  return { kind: "file", path, mode: 0o644, modified: 1000, size };
}

/** A directory. */
export function directory(path: string, mode = 0o755): TreeEntry {
  return { kind: "directory", path, mode, modified: 1000 };
}

/** What lies in the directory at `path`. */
export function names(path: string): string[] {
  return Array.from(Deno.readDirSync(path), (each) => each.name).sort();
}
