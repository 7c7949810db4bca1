import { Buffer } from "node:buffer";

/** What is sent, and a place to send it to. */
export interface Source {
  /** A file of random bytes. */
  readonly file: string;
  /** Its length. */
  readonly bytes: number;
  /** A directory of small files. */
  readonly tree: string;
  /** How many. */
  readonly files: number;
  /** An empty directory. */
  readonly destination: string;
}

const MIB = 1_048_576;
const BLOCK = 8 * MIB;
/** Length of a file in the tree. */
const SMALL = 4_096;
/** Files in one directory of the tree. */
const PER_DIRECTORY = 100;

/** Makes a file of `mib` MiB and a tree of `files` files of 4 KiB, all different and random. */
export async function makeSource(
  directory: string,
  mib: number,
  files: number,
): Promise<Source> {
  const source: Source = {
    file: `${directory}/source/file`,
    bytes: mib * MIB,
    tree: `${directory}/source/tree`,
    files,
    destination: `${directory}/destination`,
  };
  await Deno.mkdir(source.tree, { recursive: true });
  await Deno.mkdir(source.destination);
  writeBlocks(source.file, source.bytes, (block) => {
    for (let at = 0; at < block.length; at += 65_536) {
      crypto.getRandomValues(block.subarray(at, at + 65_536));
    }
  });
  const content = new Uint8Array(SMALL);
  for (let i = 0; i < files; i++) {
    const folder = `${source.tree}/${Math.floor(i / PER_DIRECTORY)}`;
    if (i % PER_DIRECTORY === 0) Deno.mkdirSync(folder);
    crypto.getRandomValues(content);
    Deno.writeFileSync(`${folder}/file-${i}`, content);
  }
  return source;
}

/**
 * Writes twice the length of the file and takes it away again: room for what a server keeps and for
 * what arrives. Else whoever comes first would pay for memory that a virtual machine has yet to get.
 */
export function warm({ destination, bytes }: Source): void {
  const path = `${destination}/warm`;
  writeBlocks(path, 2 * bytes, () => {});
  Deno.removeSync(path);
}

/**
 * Takes what has arrived away.
 *
 * @throws {Error} if it is not what was sent.
 */
export function takeAway(source: Source, what: "file" | "tree"): void {
  const arrived = `${source.destination}/${what}`;
  const files = what === "file"
    ? [""]
    : filesBelow(source.tree).map((path) => `/${path}`);
  for (const path of files) {
    if (!isSame(source[what] + path, arrived + path)) {
      throw new Error(`Cannot count it: ${what}${path} is not what was sent`);
    }
  }
  if (what === "tree" && filesBelow(arrived).length !== files.length) {
    throw new Error("Cannot count it: there is more than what was sent");
  }
  Deno.removeSync(arrived, { recursive: true });
}

function writeBlocks(
  path: string,
  bytes: number,
  fill: (block: Uint8Array<ArrayBuffer>) => void,
): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  const block = new Uint8Array(BLOCK);
  for (let left = bytes; left > 0; left -= block.length) {
    fill(block);
    writeAll(file, block.subarray(0, Math.min(left, block.length)));
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** Paths below `directory`, of files only. */
function filesBelow(directory: string, prefix = ""): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) =>
    isDirectory
      ? filesBelow(`${directory}/${name}`, `${prefix}${name}/`)
      : [prefix + name]
  );
}

function isSame(a: string, b: string): boolean {
  using one = Deno.openSync(a);
  using other = Deno.openSync(b);
  const blocks = [new Uint8Array(BLOCK), new Uint8Array(BLOCK)] as const;
  for (;;) {
    const length = readFull(one, blocks[0]);
    if (readFull(other, blocks[1]) !== length) return false;
    const [left, right] = blocks.map((block) => block.subarray(0, length));
    if (Buffer.compare(left!, right!) !== 0) return false;
    if (length < BLOCK) return true;
  }
}

/** @returns less than the length of `block` at the end of the file. */
function readFull(file: Deno.FsFile, block: Uint8Array): number {
  let length = 0;
  while (length < block.length) {
    const read = file.readSync(block.subarray(length));
    if (read === null) break;
    length += read;
  }
  return length;
}
