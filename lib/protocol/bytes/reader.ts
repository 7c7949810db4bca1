import type { Bytes } from "./bytes.ts";
import { MalformedError } from "./malformed_error.ts";

/**
 * Reads a byte string from front to back. Every read checks its bounds; `end` insists that nothing
 * is left over, so that two different byte strings never parse as the same thing.
 *
 * Integers are big-endian. `take` copies, so that what was parsed does not keep a large buffer alive.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** Reads `bytes` from their beginning. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes have not been read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next byte. */
  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  /** The next 2 bytes. */
  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  /** The next 4 bytes. */
  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  /** The next 8 bytes. */
  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8));
  }

  /** The next `length` bytes, copied. */
  take(length: number): Bytes {
    const at = this.#advance(length);
    return new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  /** Bytes behind a length of one, two or four bytes, at most `limit` of them. */
  prefixed(lengthBytes: 1 | 2 | 4, limit: number): Bytes {
    const length = lengthBytes === 1
      ? this.u8()
      : lengthBytes === 2
      ? this.u16()
      : this.u32();
    if (length > limit) {
      throw new MalformedError(
        `Cannot read a field: ${length} bytes, at most ${limit} are allowed`,
      );
    }
    return this.take(length);
  }

  /** All that is left. */
  rest(): Bytes {
    return this.take(this.left);
  }

  /**
   * Insists that nothing is left.
   *
   * @throws {MalformedError} if bytes are left.
   */
  end(): void {
    if (this.left > 0) {
      throw new MalformedError(
        `Cannot finish reading: ${this.left} bytes too many`,
      );
    }
  }

  #advance(length: number): number {
    if (length > this.left) {
      throw new MalformedError(
        `Cannot read ${length} bytes: only ${this.left} are left`,
      );
    }
    const at = this.#at;
    this.#at += length;
    return at;
  }
}
