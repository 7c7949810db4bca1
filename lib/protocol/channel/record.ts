import type { Bytes } from "../bytes/bytes.ts";
import { AEAD_TAG_BYTES } from "../crypto/aead.ts";
import { ChannelError } from "./errors.ts";

/** Specification constants (SPEC.md §4). */

/** A record begins with the length of its sealed part as u32; the same 4 bytes are authenticated. */
export const RECORD_HEADER_BYTES = 4;
/** Longest plaintext of a record in bytes, and the highest MAX-PACKET. */
export const RECORD_LIMIT = 65_536;
/** Lowest MAX-PACKET that a side may ask for, in bytes. */
export const RECORD_LIMIT_MINIMUM = 512;

/** Implementation constants: the receive buffer of an idle and of a busy connection, in bytes. */
const IDLE_BUFFER = 1_024;
const BUSY_BUFFER = 4 * (RECORD_LIMIT + RECORD_HEADER_BYTES + AEAD_TAG_BYTES);

/** A record as it came in. Both parts are views that the next read may overwrite. */
export interface Frame {
  readonly header: Bytes;
  readonly sealed: Bytes;
}

/**
 * Cuts a byte stream into records. The caller reads into `space()`, says how much came by `filled`,
 * and takes out `next()` until it answers `undefined`. The buffer starts small, grows while reads
 * fill it, and shrinks when nothing is left, so that idle connections cost next to nothing.
 */
export class FrameBuffer {
  #buffer: Bytes;
  #start = 0;
  #end: number;

  constructor(first: Bytes) {
    this.#buffer = first;
    this.#end = first.length;
  }

  space(): Bytes {
    if (this.#start === this.#end) {
      if (this.#buffer.length !== IDLE_BUFFER) {
        this.#buffer = new Uint8Array(IDLE_BUFFER);
      }
      this.#start = this.#end = 0;
    } else if (this.#buffer.length - this.#end < this.#buffer.length / 4) {
      this.#makeRoom();
    }
    return this.#buffer.subarray(this.#end);
  }

  filled(count: number): void {
    this.#end += count;
    const full = this.#end === this.#buffer.length;
    if (full && this.#buffer.length < BUSY_BUFFER) this.#makeRoom(BUSY_BUFFER);
  }

  /** Whether bytes of an unfinished record are waiting. */
  get pending(): boolean {
    return this.#end > this.#start;
  }

  /** @throws {ChannelError} if a record is announced that is shorter or longer than allowed. */
  next(): Frame | undefined {
    const left = this.#end - this.#start;
    if (left < RECORD_HEADER_BYTES) return undefined;
    const length = new DataView(
      this.#buffer.buffer,
      this.#buffer.byteOffset + this.#start,
    ).getUint32(0);
    if (length < AEAD_TAG_BYTES || length > RECORD_LIMIT + AEAD_TAG_BYTES) {
      throw new ChannelError(
        "ERR_CHANNEL_VIOLATION",
        `Cannot take a record: ${length} bytes`,
      );
    }
    if (left < RECORD_HEADER_BYTES + length) return undefined;
    const body = this.#start + RECORD_HEADER_BYTES;
    const frame = {
      header: this.#buffer.subarray(this.#start, body),
      sealed: this.#buffer.subarray(body, body + length),
    };
    this.#start = body + length;
    return frame;
  }

  #makeRoom(capacity = this.#buffer.length): void {
    const left = this.#buffer.subarray(this.#start, this.#end);
    const size = left.length > capacity / 2 ? BUSY_BUFFER : capacity;
    const roomy = new Uint8Array(size);
    roomy.set(left);
    this.#buffer = roomy;
    this.#end = left.length;
    this.#start = 0;
  }
}
