import type { Bytes } from "../bytes/bytes.ts";
import { AEAD_TAG_BYTES } from "../crypto/aead.ts";
import { ChannelError } from "./errors.ts";

/** Specification constants (SPEC.md §4). */

/** A record begins with the length of its sealed part as u32; the same 4 bytes are authenticated. */
export const RECORD_HEADER_BYTES = 4;
/** Longest plaintext of a record in bytes, and the highest MAX-PACKET. */
export const RECORD_LIMIT = 65_536;
/** Set in the length of a record whose body is not sealed: whoever expects it checks it. */
export const BARE = 0x8000_0000;
/** Lowest MAX-PACKET that a side may ask for, in bytes. */
export const RECORD_LIMIT_MINIMUM = 512;

/**
 * Implementation constants: the receive buffer of an idle connection and of the busiest, in bytes,
 * and how many times larger or smaller the next size is.
 */
const IDLE_BUFFER = 1_024;
const BUSY_BUFFER = 4 * (RECORD_LIMIT + RECORD_HEADER_BYTES + AEAD_TAG_BYTES);
const STEP = 8;

/** A sealed record as it came in. Both parts are views that the next read may overwrite. */
export interface Frame {
  readonly header: Bytes;
  readonly sealed: Bytes;
}

/**
 * Cuts a byte stream into records. The caller reads into `space()`, says how much came by `filled`,
 * and takes out `next()` until it answers `undefined`: then more must be read, or a bare record comes
 * next, of which `take` gives what is there. The buffer starts small, grows when a read
 * has filled it, so that nobody makes it larger than a few times what was sent, and is small again
 * after a read that brought little, so that idle connections cost next to nothing.
 */
export class FrameBuffer {
  #buffer: Bytes;
  #start = 0;
  #end: number;
  #lastRead = 0;
  /** Bytes of a bare record that are still to be taken. */
  #bareLeft = 0;

  constructor(first: Bytes) {
    this.#buffer = first;
    this.#end = first.length;
  }

  /** Where the next read goes. The frames that were taken out before are lost by it. */
  space(): Bytes {
    const size = this.#buffer.length;
    if (this.#start === this.#end && this.#lastRead === size) {
      // What came is taken, and filled it: more at a time is better.
      const larger = Math.max(IDLE_BUFFER, Math.min(size * STEP, BUSY_BUFFER));
      if (larger > size) this.#buffer = new Uint8Array(larger);
      this.#start = this.#end = 0;
    } else if (this.#start === this.#end) {
      const fits = size === IDLE_BUFFER ||
        size > IDLE_BUFFER && this.#lastRead >= size / STEP;
      if (!fits) this.#buffer = new Uint8Array(IDLE_BUFFER);
      this.#start = this.#end = 0;
    } else if (this.#end === size && size < BUSY_BUFFER) {
      const larger = Math.max(IDLE_BUFFER, Math.min(size * STEP, BUSY_BUFFER));
      this.#move(new Uint8Array(larger));
    } else if (size - this.#end < size / 4) {
      this.#move(this.#buffer);
    }
    return this.#buffer.subarray(this.#end);
  }

  filled(count: number): void {
    this.#lastRead = count;
    this.#end += count;
  }

  /** Whether bytes of an unfinished record are waiting. */
  get pending(): boolean {
    return this.#end > this.#start || this.#bareLeft > 0;
  }

  /**
   * Whether a bare record comes next, or is being taken.
   *
   * @throws {ChannelError} if it is announced as shorter or longer than allowed.
   */
  get bare(): boolean {
    return this.#bareLeft > 0 || this.#word >= BARE && this.bareLength > 0;
  }

  /** The length of the bare record that comes next. @throws {ChannelError} as `bare`. */
  get bareLength(): number {
    const length = this.#word - BARE;
    if (length < 1 || length > RECORD_LIMIT) throw impossible(length);
    return length;
  }

  /** Takes of a bare record what is there and fits; begins it if none was begun. */
  take(target: Bytes): number {
    if (this.#bareLeft === 0) {
      this.#bareLeft = this.bareLength;
      this.#start += RECORD_HEADER_BYTES;
    }
    const count = Math.min(
      target.length,
      this.#bareLeft,
      this.#end - this.#start,
    );
    target.set(this.#buffer.subarray(this.#start, this.#start + count));
    this.#start += count;
    this.#bareLeft -= count;
    return count;
  }

  /**
   * The next sealed record, if it is there and no bare one comes before it.
   *
   * @throws {ChannelError} if a record is announced that is shorter or longer than allowed.
   */
  next(): Frame | undefined {
    const length = this.#word;
    if (length < 0 || this.bare) return undefined;
    if (length < AEAD_TAG_BYTES || length > RECORD_LIMIT + AEAD_TAG_BYTES) {
      throw impossible(length);
    }
    const at = this.#start + RECORD_HEADER_BYTES;
    if (this.#end < at + length) return undefined;
    const frame = {
      header: this.#buffer.subarray(this.#start, at),
      sealed: this.#buffer.subarray(at, at + length),
    };
    this.#start = at + length;
    return frame;
  }

  /** The header of the record that comes next; -1 if it is not there yet. */
  get #word(): number {
    if (this.#end - this.#start < RECORD_HEADER_BYTES) return -1;
    const { buffer, byteOffset } = this.#buffer;
    return new DataView(buffer, byteOffset + this.#start).getUint32(0);
  }

  /** Brings what is left to the front of `target`. */
  #move(target: Bytes): void {
    target.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = target;
    this.#end -= this.#start;
    this.#start = 0;
  }
}

function impossible(length: number): ChannelError {
  return new ChannelError(
    "ERR_CHANNEL_VIOLATION",
    `Cannot take a record: ${length} bytes`,
  );
}
