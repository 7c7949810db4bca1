/**
 * What is inside of a blob, written from SPEC.md §10.7 and §10.8.
 *
 * @module
 */
import { counted } from "./naive_identity.ts";
import { NaiveReader } from "./naive_reader.ts";
import { ascii, join, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

/** An entry of a manifest. */
export interface NaiveEntry {
  readonly kind: 0 | 1 | 2;
  readonly mode: number;
  readonly modified: number;
  readonly path: string;
  /** Of a file. */
  readonly size?: number;
  /** Of a link. */
  readonly target?: string;
}

/** A manifest. */
export interface NaiveManifest {
  readonly name: string;
  readonly entries: readonly NaiveEntry[];
}

/** P(L) (§10.7). */
export function padded(length: number): number {
  if (length <= 16_384) return 16_384;
  const bits = (value: bigint) => BigInt(value.toString(2).length - 1);
  const exponent = bits(BigInt(length));
  const unit = 1n << (exponent - (bits(exponent) + 1n));
  return Number((BigInt(length) + unit - 1n) / unit * unit);
}

/** The plaintext of a blob: manifest, contents in its order, zeros. */
export function plaintextOf(
  manifest: NaiveManifest,
  contents: readonly Octets[],
): Octets {
  const encoded = writeManifest(manifest);
  const front = join(counted(4, encoded), ...contents);
  return join(front, new Uint8Array(padded(front.length) - front.length));
}

/** Inverse of `plaintextOf`. */
export function readPlaintext(
  plaintext: Octets,
): { manifest: NaiveManifest; contents: Octets[] } {
  const reader = new NaiveReader(plaintext);
  const length = reader.integer(4);
  if (length > 67_108_864) throw new Error("a manifest that is too long");
  const manifest = readManifest(reader.take(length));
  const contents = manifest.entries.filter(({ kind }) => kind === 0)
    .map(({ size }) => reader.take(size!));
  if (plaintext.length !== padded(reader.at)) throw new Error("wrong length");
  if (reader.take(reader.left).some((byte) => byte !== 0)) {
    throw new Error("padding that is not zero");
  }
  return { manifest, contents };
}

/** A manifest in bytes (§10.8), unchecked. */
export function writeManifest({ name, entries }: NaiveManifest): Octets {
  return join(
    unsigned(1, 1),
    counted(2, ascii(name)),
    unsigned(4, entries.length),
    ...entries.map((entry) =>
      join(
        unsigned(1, entry.kind),
        unsigned(2, entry.mode),
        unsigned(8, entry.modified),
        counted(2, ascii(entry.path)),
        entry.kind === 0 ? unsigned(8, entry.size!) : new Uint8Array(0),
        entry.kind === 2 ? counted(2, ascii(entry.target!)) : new Uint8Array(0),
      )
    ),
  );
}

/** A manifest from bytes; throws if a rule does not hold. */
export function readManifest(bytes: Octets): NaiveManifest {
  const reader = new NaiveReader(bytes);
  must(bytes.length <= 67_108_864, "length");
  must(reader.integer(1) === 1, "version");
  const name = reader.text(2);
  must(goodPath(name) && !name.includes("/"), "name");
  const count = reader.integer(4);
  must(count <= 1_000_000, "count");
  const entries: NaiveEntry[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const kind = reader.integer(1);
    const mode = reader.integer(2);
    const modified = reader.integer(8);
    const path = reader.text(2);
    must(mode <= 0o777, "mode");
    must(modified <= 8_640_000_000_000_000, "modified");
    must(goodPath(path), "path");
    const before = entries.at(-1)?.path;
    must(
      before === undefined || ascii(before).toHex() < ascii(path).toHex(),
      "order",
    );
    const slash = path.lastIndexOf("/");
    must(
      slash < 0 ||
        entries.some((each) =>
          each.kind === 1 && each.path === path.slice(0, slash)
        ),
      "directory",
    );
    const place = { mode, modified, path };
    if (kind === 0) {
      const size = reader.integer(8);
      total += size;
      must(total < 2 ** 53, "total");
      entries.push({ ...place, kind, size });
    } else if (kind === 1) entries.push({ ...place, kind });
    else {
      must(kind === 2, "kind");
      const target = reader.text(2);
      must(goodTarget(path, target), "target");
      entries.push({ ...place, kind: 2, target });
    }
  }
  must(reader.left === 0, "end");
  return { name, entries };
}

const FORBIDDEN = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x5c, 0x5c],
  [0x61c, 0x61c],
  [0x200e, 0x200f],
  [0x202a, 0x202e],
  [0x2066, 0x2069],
  [0xfffd, 0xfffd],
] as const;

function goodCharacters(text: string): boolean {
  return ascii(text).length <= 4_096 &&
    [...text].every((each) => {
      const point = each.codePointAt(0)!;
      return !FORBIDDEN.some(([from, to]) => point >= from && point <= to);
    });
}

/** Whether a path may stand in a manifest. */
export function goodPath(path: string): boolean {
  return goodCharacters(path) &&
    path.split("/").every((each) =>
      !["", ".", ".."].includes(each) && ascii(each).length <= 255
    );
}

/** Whether a link at `path` may have this target. */
export function goodTarget(path: string, target: string): boolean {
  if (target === "" || target.startsWith("/")) return false;
  if (!goodCharacters(target)) return false;
  const steps = target.split("/").filter((each) => each !== "" && each !== ".");
  const names = steps.findIndex((each) => each !== "..");
  const ups = names < 0 ? steps.length : names;
  return !steps.slice(ups).includes("..") && ups < path.split("/").length - 1;
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`a manifest of another ${what}`);
}
