import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { complete, setAttributes } from "./attributes.ts";
import { isZero } from "./data_runs.ts";
import { diskFullOr } from "./disk_full_error.ts";
import { rulesOfThisMachine } from "./entry_path.ts";
import type { NameRules } from "./entry_path.ts";
import { FileWriter } from "./file_writer.ts";
import { HeadReader, planOf } from "./head_reader.ts";
import type { Plan } from "./head_reader.ts";
import { isPartName, PartDirectory } from "./part_directory.ts";
import { place, placedBefore } from "./placement.ts";
import { rewind } from "./resume_point.ts";
import type { FileEntry, Manifest } from "./tree_entry.ts";
import { syncDirectory, Unsynced } from "./unsynced.ts";

/**
 * Writes the bytes of a transfer to disk as they come (see `Layout`): into a part directory that
 * nobody else sees, out of which it is moved when it is whole.
 *
 * Nothing is written through a link: those that are sent are made last. Nothing is written outside of
 * the part directory before `finish`.
 */
export class TreeWriter {
  readonly #part: PartDirectory;
  readonly #rules: NameRules;
  readonly #head = new HeadReader();
  readonly #unsynced = new Unsynced();
  #plan: Plan | undefined;
  #offset = 0;
  /** Where the write began that failed: it may be tried again. */
  #failed: number | undefined;
  /** Index of the first entry that has not been made yet. */
  #next = 0;
  #writing: FileWriter | undefined;
  /** Whether all but what lies at the top has its mode and time. */
  #complete = false;

  private constructor(part: PartDirectory, rules: NameRules) {
    this.#part = part;
    this.#rules = rules;
  }

  /**
   * Begins to receive into `directory`, or goes on.
   *
   * @param id tells transfers into the same directory apart: 1 to 64 letters, digits, "-" and "_".
   * @param resumeAt what `sync` gave last; 0 to begin, whatever is there. Go on at `offset`: it is
   * the end of the sequence if `finish` had been broken off.
   * @param rules for names, those of this machine if left out.
   * @throws {PartError} if another process writes the same, or it is not as it was left.
   */
  static async open(
    directory: string,
    id: string,
    resumeAt = 0,
    rules: NameRules = rulesOfThisMachine(),
  ): Promise<TreeWriter> {
    try {
      const part = PartDirectory.open(directory, id, resumeAt === 0);
      const writer = new TreeWriter(part, rules);
      try {
        if (resumeAt !== 0) writer.#resume(resumeAt);
        else await syncDirectory(directory);
        return writer;
      } catch (error) {
        writer.close();
        throw error;
      }
    } catch (error) {
      throw diskFullOr(error);
    }
  }

  /** How many bytes have been taken. The next write begins here. */
  get offset(): number {
    return this.#offset;
  }

  /** Of the whole sequence, padded, in bytes; known when the manifest has come. */
  get length(): number | undefined {
    return this.#plan?.layout.padded;
  }

  /** What is received; known when it has come. */
  get manifest(): Manifest | undefined {
    return this.#plan?.manifest;
  }

  /**
   * Takes the next bytes. One call at a time; `sync` may be under way.
   *
   * @param offset of `bytes` in the sequence: where the last write ended, or where one began that
   * failed, to try that one again.
   * @throws {MalformedError} if the sequence is not one: then nothing of it can be used.
   * @throws {DiskFullError} if there is no room; try again when there is.
   */
  async write(offset: number, bytes: Bytes): Promise<void> {
    const again = offset === this.#failed ? this.#offset - offset : 0;
    if (offset + again !== this.#offset || again > bytes.length) {
      throw new RangeError(
        `Cannot write at ${offset}: ${this.#offset} comes next`,
      );
    }
    try {
      this.#makeNext();
      for (let rest = bytes.subarray(again); rest.length > 0;) {
        const before = this.#offset;
        await this.#take(rest);
        rest = rest.subarray(this.#offset - before);
        this.#makeNext();
      }
      this.#failed = undefined;
    } catch (error) {
      this.#failed = offset;
      throw diskFullOr(error);
    }
  }

  /**
   * Makes durable what has been written until now, so that it survives even a power failure.
   *
   * @returns up to which offset: from there a later process may go on. 0 until the manifest is whole.
   */
  async sync(): Promise<number> {
    const offset = this.#plan === undefined ? 0 : this.#offset;
    try {
      await this.#unsynced.sync();
    } catch (error) {
      throw diskFullOr(error);
    }
    return offset;
  }

  /**
   * Makes the links, sets modes and times, and moves everything to its place. Contents are durable
   * only as far as `sync` has made them so. If this fails it may be tried again, also by a later
   * process that has opened at the end of the sequence.
   *
   * @param options.replace whether what has the same name makes way; otherwise "name (1)" is taken.
   * @param options.placed told where all lies, durably, while the part directory is still there: once it
   * resolves a later process is expected to know of it, and not to open this again.
   * @returns where each entry of the top lies now.
   * @throws {RangeError} if not all has come.
   * @throws {DiskFullError} if there is no room.
   */
  async finish(
    options: {
      readonly replace: boolean;
      readonly placed?: (paths: readonly string[]) => Promise<void>;
    },
  ): Promise<string[]> {
    const plan = this.#plan;
    if (plan === undefined || this.#offset !== plan.layout.padded) {
      throw new RangeError(`Cannot finish: only ${this.#offset} bytes came`);
    }
    const { entries } = plan.manifest;
    const tops = entries.filter((each) => !each.path.includes("/"));
    try {
      this.#makeNext();
      const placed = placedBefore(this.#part);
      // Once only: modes are set last, and some would not let it be done again.
      if (!this.#complete) {
        await complete(
          this.#part,
          entries,
          (each) => placed.has(each.path.split("/", 1)[0]!),
        );
        this.#complete = true;
      }
      const paths = place(this.#part, tops, options.replace);
      // Only now: a directory without the right to change it cannot be moved.
      for (const [i, top] of tops.entries()) setAttributes(top, paths[i]!);
      await syncDirectory(this.#part.directory);
      await options.placed?.(paths);
      this.#part.remove();
      return paths;
    } catch (error) {
      throw diskFullOr(error);
    }
  }

  /** Gives up: removes all that was received. */
  discard(): void {
    this.#closeFile();
    this.#part.remove();
  }

  /** Stops, and leaves what was received for a later process. Not needed after `finish` or `discard`. */
  close(): void {
    this.#closeFile();
    this.#part.close();
  }

  /** Takes some of `bytes`, at least one, and moves the offset behind what is done. */
  async #take(bytes: Bytes): Promise<void> {
    const layout = this.#plan?.layout;
    if (layout === undefined) {
      this.#offset += this.#head.take(bytes);
    } else if (this.#writing !== undefined) {
      await this.#writeContent(this.#writing, bytes);
    } else {
      if (bytes.length > layout.padded - this.#offset) {
        throw new MalformedError("Cannot receive: bytes behind the end");
      }
      if (!isZero(bytes)) {
        throw new MalformedError("Cannot receive: padding that is not zero");
      }
      this.#offset += bytes.length;
    }
  }

  async #writeContent(file: FileWriter, bytes: Bytes): Promise<void> {
    const start = this.#offset - file.done;
    this.#unsynced.addFile(file.path);
    try {
      await file.write(bytes.subarray(0, file.size - file.done));
    } finally {
      this.#offset = start + file.done;
    }
    if (file.done === file.size) this.#closeFile();
  }

  /** Makes all that comes before the next byte of content, and the file which that belongs to. */
  #makeNext(): void {
    if (this.#plan === undefined) {
      if (!this.#head.complete) return;
      const plan = planOf(this.#head.manifest, this.#rules);
      if (plan.manifest.entries.some((each) => isPartName(each.path))) {
        throw new MalformedError("Cannot receive: a name that is ours");
      }
      this.#part.writeManifest(this.#head.manifest);
      this.#unsynced.addFile(this.#part.own("manifest"));
      this.#unsynced.addDirectory(this.#part.path);
      this.#plan = plan;
    }
    const { manifest } = this.#plan;
    for (; this.#writing === undefined; this.#next++) {
      const entry = manifest.entries[this.#next];
      if (entry === undefined) return;
      if (entry.kind === "link") continue;
      try {
        if (entry.kind === "file") this.#create(entry);
        else this.#makeDirectory(entry.path);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
        throw new MalformedError(
          "Cannot receive: two names that are one to this disk",
          { cause: error },
        );
      }
    }
  }

  #makeDirectory(path: string): void {
    Deno.mkdirSync(this.#part.at(path), { mode: 0o700 });
    this.#unsynced.addDirectory(this.#part.at(path));
    this.#unsynced.addDirectory(this.#parentOf(path));
  }

  #create(entry: FileEntry): void {
    const file = FileWriter.create(this.#part.at(entry.path), entry.size);
    this.#unsynced.addFile(file.path);
    this.#unsynced.addDirectory(this.#parentOf(entry.path));
    this.#writing = file;
    if (entry.size === 0) this.#closeFile();
  }

  #parentOf(path: string): string {
    const slash = path.lastIndexOf("/");
    return slash < 0
      ? this.#part.own("tree")
      : this.#part.at(path.slice(0, slash));
  }

  #closeFile(): void {
    this.#writing?.close();
    this.#writing = undefined;
  }

  #resume(offset: number): void {
    const bytes = this.#part.readManifest();
    const plan = planOf(bytes, this.#rules);
    const { manifest, layout } = plan;
    const placed = placedBefore(this.#part);
    // It was whole: it had begun to be put in its place.
    if (placed.size > 0) offset = layout.padded;
    this.#next = rewind(this.#part, plan, offset, placed);
    this.#plan = plan;
    this.#offset = offset;
    const index = layout.entryAt(offset);
    // A file that begins here is made anew; of one that began before, a part is there.
    if (index < 0 || index >= this.#next) return;
    const start = layout.start(index);
    this.#writing = FileWriter.resume(
      this.#part.at(manifest.entries[index]!.path),
      layout.start(index + 1) - start,
      offset - start,
    );
    this.#unsynced.addFile(this.#writing.path);
  }
}
