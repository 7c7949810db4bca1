import type { Bytes } from "../../protocol/mod.ts";
import { sha256, u32, utf8, Writer } from "../../protocol/mod.ts";
import { HEAD_BYTES, Layout } from "./layout.ts";
import { encodeManifest } from "./manifest.ts";
import type { Scan } from "./scan.ts";
import { SourceChangedError } from "./source_changed_error.ts";
import { fingerprintOf, sameFile } from "./source_file.ts";
import type { SourceFile } from "./source_file.ts";
import { contentSize } from "./tree_entry.ts";

/** Files up to this size, in bytes, are read without giving way to others: it is over at once. */
const SMALL = 65_536;

/** A file that has been opened and is not yet read to its end. */
interface Reading {
  readonly index: number;
  readonly source: SourceFile;
  readonly handle: Deno.FsFile;
  /** Where the handle stands, in bytes from the beginning of the file. */
  at: number;
}

/**
 * The bytes of a transfer, read from the disk as they are asked for (see `Layout`). One file is open
 * at a time, and nothing of it is held in memory.
 *
 * A file that is not what it was at the scan is noticed when it is opened, and again when it has been
 * read to its end or is left: by its size, times, inode and device. The platform tells times in
 * milliseconds; a change within the same one, in place and of the same length, escapes it.
 */
export class TreeSource implements AsyncDisposable {
  /** Where everything lies. */
  readonly layout: Layout;
  readonly #scan: Scan;
  readonly #head: Bytes;
  #reading: Reading | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Of what `scan` has found.
   *
   * @throws {MalformedError} if what was found cannot be sent: see `encodeManifest`.
   */
  constructor(scan: Scan) {
    this.#scan = scan;
    const manifest = encodeManifest(scan.manifest);
    this.#head = new Uint8Array(HEAD_BYTES + manifest.length);
    this.#head.set(u32(manifest.length));
    this.#head.set(manifest, HEAD_BYTES);
    this.layout = new Layout(manifest.length, scan.manifest);
  }

  /** Of the whole sequence, padded, in bytes. */
  get length(): number {
    return this.layout.padded;
  }

  /**
   * SHA-256 over the manifest and over what tells each file apart. While it is the same, a transfer
   * that was broken off may be gone on with.
   */
  fingerprint(): Promise<Bytes> {
    const writer = new Writer(this.#head.length + 64);
    writer.bytes(utf8("sotto tree 1")).bytes(this.#head);
    for (const source of this.#scan.sources) {
      if (source === undefined) continue;
      const { size, modified, changed, inode, device } = source.fingerprint;
      const text = [size, modified, changed, inode, device].join(" ");
      writer.prefixed(4, utf8(source.path)).prefixed(4, utf8(text));
    }
    return sha256(writer.done());
  }

  /**
   * `length` bytes from `offset`, fewer at the end of the sequence. Rising offsets are fast. Calls are
   * served one behind another.
   *
   * @throws {SourceChangedError} if a file is no longer what it was.
   */
  read(offset: number, length: number): Promise<Bytes> {
    const next = this.#last.then(() => this.#read(offset, length));
    this.#last = next.catch(() => {});
    return next;
  }

  /** Closes what is open, when the reads under way are over. */
  async close(): Promise<void> {
    await this.#last;
    this.#drop();
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(offset: number, length: number): Promise<Bytes> {
    const { contentStart, total, padded } = this.layout;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > padded) {
      throw new RangeError(`Cannot read at ${offset}: not in 0..${padded}`);
    }
    // What is behind the contents stays zero.
    const out = new Uint8Array(Math.min(length, padded - offset));
    let at = 0;
    if (offset < contentStart) {
      const head = this.#head.subarray(offset, offset + out.length);
      out.set(head);
      at = head.length;
      if (offset + at === contentStart) this.#checkEmpty(0);
    }
    let index = this.layout.entryAt(offset + at);
    while (at < out.length && offset + at < total) {
      const start = this.layout.start(index);
      const end = this.layout.start(index + 1);
      // Entries without content lie between.
      if (start < end) {
        const from = offset + at;
        const part = out.subarray(
          at,
          at + Math.min(out.length - at, end - from),
        );
        await this.#readFile(index, from - start, part, end - start);
        at += part.length;
      }
      index++;
    }
    return out;
  }

  /** Fills `part` with what stands at `from` in the file of entry `index`. */
  async #readFile(
    index: number,
    from: number,
    part: Bytes,
    size: number,
  ): Promise<void> {
    const reading = this.#reading?.index === index
      ? this.#reading
      : this.#enter(index);
    try {
      if (reading.at !== from) {
        reading.at = reading.handle.seekSync(from, Deno.SeekMode.Start);
      }
      for (let at = 0; at < part.length;) {
        const rest = part.subarray(at);
        const count = size <= SMALL
          ? reading.handle.readSync(rest)
          : await reading.handle.read(rest);
        if (count === null) {
          throw new SourceChangedError(
            reading.source.path,
            "it has become shorter since it was offered",
          );
        }
        at += count;
        reading.at += count;
      }
      if (reading.at === size) {
        this.#leave();
        this.#checkEmpty(index + 1);
      }
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  #enter(index: number): Reading {
    this.#leave();
    const source = this.#scan.sources[index]!;
    // Asked before it is opened: a pipe in its place would never open.
    checkUnchanged(source);
    try {
      const handle = Deno.openSync(source.path);
      return this.#reading = { index, source, handle, at: 0 };
    } catch (cause) {
      throw new SourceChangedError(source.path, UNREADABLE, cause);
    }
  }

  /** Looks at the files without content from entry `index` on: nobody reads them. */
  #checkEmpty(index: number): void {
    const { entries } = this.#scan.manifest;
    for (; index < entries.length; index++) {
      if (contentSize(entries[index]!) > 0) return;
      const source = this.#scan.sources[index];
      if (source !== undefined) checkUnchanged(source);
    }
  }

  /** Closes the open file, and insists that it has been the right one all along. */
  #leave(): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    const { path, fingerprint } = reading.source;
    try {
      // Of the handle: tells also when another file was put in place between the two looks.
      if (!sameFile(fingerprintOf(reading.handle.statSync()), fingerprint)) {
        throw new SourceChangedError(path, CHANGED);
      }
    } finally {
      this.#drop();
    }
  }

  #drop(): void {
    this.#reading?.handle.close();
    this.#reading = undefined;
  }
}

function checkUnchanged({ path, fingerprint }: SourceFile): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (cause) {
    throw new SourceChangedError(path, UNREADABLE, cause);
  }
  if (!info.isFile || !sameFile(fingerprintOf(info), fingerprint)) {
    throw new SourceChangedError(path, CHANGED);
  }
}

const UNREADABLE = "it can no longer be read";
const CHANGED = "it has changed since it was offered";
