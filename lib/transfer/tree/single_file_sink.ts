import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { isZero } from "./data_runs.ts";
import { ANY_DISK } from "./entry_path.ts";
import { HeadReader, planOf } from "./head_reader.ts";
import type { Plan } from "./head_reader.ts";
import type { Manifest } from "./tree_entry.ts";

/**
 * Takes the bytes of a transfer of exactly one file and hands the content on, without its name, mode
 * and time: for a pipe, or a file whose name the user chose.
 */
export class SingleFileSink {
  readonly #output: (bytes: Bytes) => Promise<void>;
  readonly #head = new HeadReader();
  #plan: Plan | undefined;
  #offset = 0;

  /**
   * A sink in front of `output`.
   *
   * @param output is given the content in order, one piece at a time.
   */
  constructor(output: (bytes: Bytes) => Promise<void>) {
    this.#output = output;
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
   * Takes the next bytes. One call at a time.
   *
   * @param offset of `bytes` in the sequence: where the last write ended.
   * @throws {MalformedError} if the sequence is not one, or not of one file.
   */
  async write(offset: number, bytes: Bytes): Promise<void> {
    if (offset !== this.#offset) {
      throw new RangeError(
        `Cannot write at ${offset}: ${this.#offset} comes next`,
      );
    }
    const rest = this.#plan === undefined ? this.#takeHead(bytes) : bytes;
    if (this.#plan === undefined || rest.length === 0) return;
    const { total, padded } = this.#plan.layout;
    if (rest.length > padded - this.#offset) {
      throw new MalformedError("Cannot receive: bytes behind the end");
    }
    const content = rest.subarray(0, Math.max(0, total - this.#offset));
    if (!isZero(rest.subarray(content.length))) {
      throw new MalformedError("Cannot receive: padding that is not zero");
    }
    if (content.length > 0) await this.#output(content);
    this.#offset += rest.length;
  }

  /**
   * Insists that all has come.
   *
   * @throws {RangeError} if not.
   */
  finish(): void {
    if (this.#offset !== this.#plan?.layout.padded) {
      throw new RangeError(`Cannot finish: only ${this.#offset} bytes came`);
    }
  }

  /** Gives what belongs to the content. */
  #takeHead(bytes: Bytes): Bytes {
    const taken = this.#head.take(bytes);
    this.#offset += taken;
    if (this.#head.complete) {
      const plan = planOf(this.#head.manifest, ANY_DISK);
      const [only, ...others] = plan.manifest.entries;
      if (only?.kind !== "file" || others.length > 0) {
        throw new MalformedError("Cannot receive as one file: it is not one");
      }
      this.#plan = plan;
    }
    return bytes.subarray(taken);
  }
}
