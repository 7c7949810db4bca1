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

/** A record as it came in. Both parts are views that the next read may overwrite. */
export interface Frame {
  readonly header: Bytes;
  readonly body: Bytes;
  /** Whether the body is as it was sent, and not sealed. */
  readonly bare: boolean;
}

/**
 * Cuts a byte stream into records. The caller reads into `space()`, says how much came by `filled`,
 * and takes out `next()` until it answers `undefined`. The buffer starts small, grows when a read
 * has filled it, so that nobody makes it larger than a few times what was sent, and is small again
 * after a read that brought little, so that idle connections cost next to nothing.
 */
export class FrameBuffer {
  #buffer: Bytes;
  #start = 0;
  #end: number;
  #lastRead = 0;

  constructor(first: Bytes) {
    this.#buffer = first;
    this.#end = first.length;
  }

  /** Where the next read goes. The frames that were taken out before are lost by it. */
  space(): Bytes {
    const size = this.#buffer.length;
    if (this.#start === this.#end) {
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
    return this.#end > this.#start;
  }

  /** @throws {ChannelError} if a record is announced that is shorter or longer than allowed. */
  next(): Frame | undefined {
    const left = this.#end - this.#start;
    if (left < RECORD_HEADER_BYTES) return undefined;
    const word = new DataView(
      this.#buffer.buffer,
      this.#buffer.byteOffset + this.#start,
    ).getUint32(0);
    const bare = word >= BARE;
    const length = bare ? word - BARE : word;
    const [least, most] = bare
      ? [1, RECORD_LIMIT]
      : [AEAD_TAG_BYTES, RECORD_LIMIT + AEAD_TAG_BYTES];
    if (length < least || length > most) {
      throw new ChannelError(
        "ERR_CHANNEL_VIOLATION",
        `Cannot take a record: ${length} bytes`,
      );
    }
    if (left < RECORD_HEADER_BYTES + length) return undefined;
    const at = this.#start + RECORD_HEADER_BYTES;
    const frame = {
      header: this.#buffer.subarray(this.#start, at),
      body: this.#buffer.subarray(at, at + length),
      bare,
    };
    this.#start = at + length;
    return frame;
  }

  /** Brings what is left to the front of `target`. */
  #move(target: Bytes): void {
    target.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = target;
    this.#end -= this.#start;
    this.#start = 0;
  }
}
