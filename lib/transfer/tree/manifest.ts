import type { Bytes } from "../../protocol/mod.ts";
import {
  fromUtf8,
  MalformedError,
  Reader,
  utf8,
  Writer,
} from "../../protocol/mod.ts";
import type { NameRules } from "./entry_path.ts";
import type { Manifest, TreeEntry } from "./tree_entry.ts";
import {
  ANY_DISK,
  checkName,
  checkPath,
  checkTarget,
  COMPONENT_LIMIT,
  PATH_LIMIT,
} from "./entry_path.ts";
import { contentSize } from "./tree_entry.ts";

/** Longest manifest, in bytes. */
export const MANIFEST_LIMIT = 67_108_864;

/** Latest time that a `Date` can hold, in milliseconds since 1970 (ECMA-262 §21.4.1.1). */
const TIME_LIMIT = 8_640_000_000_000_000;

/** Most entries of a manifest. */
export const ENTRY_LIMIT = 1_000_000;

const VERSION = 1;
const KINDS = ["file", "directory", "link"] as const;

/** Bytes of an entry, its path and what only its kind has not counted. */
const ENTRY_BYTES = 1 + 2 + 8 + 2;

/**
 * The bytes of `manifest`:
 *
 *     u8 version 1 || u16 length, name || u32 count || count entries
 *     entry: u8 kind (0 file, 1 directory, 2 link) || u16 mode || u64 modified || u16 length, path
 *            file: u64 size        link: u16 length, target
 *
 * @throws {MalformedError} if `parseManifest` would not read it back: what is sent is what is taken.
 */
export function encodeManifest(manifest: Manifest): Bytes {
  const { name, entries } = manifest;
  if (entries.length > ENTRY_LIMIT) refuse(`${entries.length} entries`);
  const writer = new Writer(64 + entries.length * 64);
  writer.u8(VERSION).prefixed(2, bounded(name)).u32(entries.length);
  for (const entry of entries) {
    writer.u8(KINDS.indexOf(entry.kind)).u16(entry.mode);
    writer.u64(BigInt(entry.modified)).prefixed(2, bounded(entry.path));
    if (entry.kind === "file") writer.u64(BigInt(entry.size));
    if (entry.kind === "link") writer.prefixed(2, bounded(entry.target));
  }
  const bytes = writer.done();
  parseManifest(bytes, ANY_DISK);
  return bytes;
}

/**
 * The manifest that `bytes` hold; no other bytes hold the same one.
 *
 * @param rules of the disk on which it is to be written.
 * @throws {MalformedError} if they hold none, or one that could harm whoever writes it to disk: see
 * `checkPath` and `checkTarget`; paths out of order or twice; something beneath what is no directory.
 */
export function parseManifest(bytes: Uint8Array, rules: NameRules): Manifest {
  if (bytes.length > MANIFEST_LIMIT) refuse(`${bytes.length} bytes`);
  const reader = new Reader(bytes);
  if (reader.u8() !== VERSION) refuse("of another version");
  const name = fromUtf8(reader.prefixed(2, COMPONENT_LIMIT));
  checkName(name, rules);
  const count = reader.u32();
  if (count > ENTRY_LIMIT || count * ENTRY_BYTES > reader.left) {
    refuse(`${count} entries`);
  }
  const entries: TreeEntry[] = [];
  const directories = new Set<string>();
  let before: Bytes = new Uint8Array(0);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const kind = KINDS[reader.u8()] ?? refuse("of an unknown kind of entry");
    const mode = reader.u16();
    if (mode > 0o777) refuse("of more than permissions");
    const modified = safe(reader.u64());
    if (modified > TIME_LIMIT) refuse("of a time that is no date");
    const encoded = reader.prefixed(2, PATH_LIMIT);
    if (i > 0 && !follows(encoded, before)) refuse("out of order");
    before = encoded;
    const path = fromUtf8(encoded);
    checkPath(path, rules);
    const slash = path.lastIndexOf("/");
    if (slash > 0 && !directories.has(path.slice(0, slash))) {
      refuse("of an entry without its directory");
    }
    const entry = readRest(reader, { path, mode, modified }, kind, rules);
    if (kind === "directory") directories.add(path);
    total += contentSize(entry);
    if (!Number.isSafeInteger(total)) refuse("of 2^53 bytes or more");
    entries.push(entry);
  }
  reader.end();
  return { name, entries };
}

function readRest(
  reader: Reader,
  place: Pick<TreeEntry, "path" | "mode" | "modified">,
  kind: TreeEntry["kind"],
  rules: NameRules,
): TreeEntry {
  if (kind === "directory") return { ...place, kind };
  if (kind === "file") return { ...place, kind, size: safe(reader.u64()) };
  const target = fromUtf8(reader.prefixed(2, PATH_LIMIT));
  checkTarget(place.path, target, rules);
  return { ...place, kind, target };
}

/** Whether `a` stands behind `b`, byte by byte. */
function follows(a: Bytes, b: Bytes): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! > b[i]!;
  }
  return a.length > b.length;
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) refuse("of 2^53 or more");
  return Number(value);
}

function bounded(text: string): Bytes {
  const bytes = utf8(text);
  if (bytes.length > PATH_LIMIT) refuse("of a name that is too long");
  return bytes;
}

function refuse(seen: string): never {
  throw new MalformedError(`Cannot take a manifest: ${seen}`);
}
