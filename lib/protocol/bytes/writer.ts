import type { Bytes } from "./bytes.ts";

/**
 * Builds a byte string from front to back; the inverse of `Reader`. Integers are big-endian and must
 * fit (`RangeError` otherwise). Every method returns the writer.
 */
export class Writer {
  #bytes: Bytes;
  #view: DataView;
  #length = 0;

  /** `capacity` is in bytes, to begin with; it grows. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length;
  }

  /** One byte. */
  u8(value: number): this {
    check(value, 0xff);
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  /** 2 bytes. */
  u16(value: number): this {
    check(value, 0xffff);
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
    return this;
  }

  /** 4 bytes. */
  u32(value: number): this {
    check(value, 0xffffffff);
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
    return this;
  }

  /** 8 bytes. */
  u64(value: bigint): this {
    if (value < 0n || value > 0xffffffffffffffffn) {
      throw new RangeError(
        `Cannot write ${value}: not an unsigned 64-bit value`,
      );
    }
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  /** The bytes as they are. */
  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** `value` behind its length in one, two or four bytes. */
  prefixed(lengthBytes: 1 | 2 | 4, value: Uint8Array): this {
    if (lengthBytes === 1) this.u8(value.length);
    else if (lengthBytes === 2) this.u16(value.length);
    else this.u32(value.length);
    return this.bytes(value);
  }

  /** A copy of what has been written. */
  done(): Bytes {
    return this.#bytes.slice(0, this.#length);
  }

  /** Replaces buffer and view when they are too small: take the place first, then use them. */
  #grow(extra: number): number {
    const at = this.#length;
    const needed = at + extra;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = needed;
    return at;
  }
}

function check(value: number, limit: number): void {
  if (!Number.isInteger(value) || value < 0 || value > limit) {
    throw new RangeError(
      `Cannot write ${value}: not an integer in 0..${limit}`,
    );
  }
}
