import type { Bytes } from "../../protocol/mod.ts";
import { dataRuns } from "./data_runs.ts";

/** Files from this size on, in bytes, keep their holes and are written while others may run. */
const LARGE = 65_536;

/** Writes one new file of a known size from front to back. */
export class FileWriter {
  /** Where the file is. */
  readonly path: string;
  /** In bytes, when it is whole. */
  readonly size: number;
  readonly #handle: Deno.FsFile;
  #done: number;
  /** Where the handle stands: behind `#done` lie holes that were not written. */
  #at = 0;

  private constructor(
    path: string,
    size: number,
    done: number,
    handle: Deno.FsFile,
  ) {
    this.path = path;
    this.size = size;
    this.#done = done;
    this.#handle = handle;
  }

  /**
   * Makes the file, for its owner alone. A link is not followed.
   *
   * @throws {Deno.errors.AlreadyExists} if anything has that name.
   */
  static create(path: string, size: number): FileWriter {
    const handle = Deno.openSync(path, {
      write: true,
      createNew: true,
      mode: 0o600,
    });
    try {
      // All holes, until something is written there.
      if (size >= LARGE) handle.truncateSync(size);
      return new FileWriter(path, size, 0, handle);
    } catch (error) {
      handle.close();
      Deno.removeSync(path);
      throw error;
    }
  }

  /** Goes on behind the first `done` bytes. What else the file held is gone. */
  static resume(path: string, size: number, done: number): FileWriter {
    const handle = Deno.openSync(path, { write: true });
    try {
      handle.truncateSync(done);
      if (size >= LARGE) handle.truncateSync(size);
      return new FileWriter(path, size, done, handle);
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** How many bytes have been taken. */
  get done(): number {
    return this.#done;
  }

  /**
   * Takes the next bytes, no more than are missing. After a failure `done` tells how many were taken;
   * go on with those behind them.
   */
  async write(bytes: Bytes): Promise<void> {
    const from = this.#done;
    const runs: [number, number][] = this.size < LARGE
      ? [[0, bytes.length]]
      : dataRuns(bytes, from);
    for (const [begin, end] of runs) {
      this.#done = from + begin;
      if (this.#at !== this.#done) {
        this.#at = this.#handle.seekSync(this.#done, Deno.SeekMode.Start);
      }
      for (let at = begin; at < end; at = this.#done - from) {
        const rest = bytes.subarray(at, end);
        this.#at += this.size < LARGE
          ? this.#handle.writeSync(rest)
          : await this.#handle.write(rest);
        this.#done = this.#at;
      }
    }
    this.#done = from + bytes.length;
  }

  /** Lets go of the file. */
  close(): void {
    this.#handle.close();
  }
}
