import type { Bytes, ByteStream } from "../../lib/protocol/mod.ts";
import { concat, writeAll } from "../../lib/protocol/mod.ts";
import { BODY_BYTES } from "../../lib/onion/cell/cell.ts";
import type { CellSize } from "../../lib/onion/cell/cell.ts";

/** A record as somebody sees it who sits on a link. */
export interface WireRecord {
  /** Length (4) ‖ what follows. */
  readonly bytes: Bytes;
  /** What follows the length: sealed headers, or a body. A view. */
  readonly body: Bytes;
  /** Which size of body it is; `undefined` for sealed headers and for what is no body. */
  readonly size: CellSize | undefined;
}

/** What goes on in place of a record: nothing to drop or hold it. */
export type WireEdit = (record: WireRecord) => readonly Bytes[];

const BARE = 0x8000_0000;

/** One direction of a link. */
export class WireDirection {
  /** Decides about every record from now on. */
  edit: WireEdit | undefined;
  /** Told of every record. */
  watch: ((record: WireRecord) => void) | undefined;
  /** Lengths of bare records, and how often each came. */
  readonly lengths = new Map<number, number>();
  /** Bytes of everything behind the handshake. */
  bytes = 0;

  /** What becomes of `record`. */
  pass(record: WireRecord): readonly Bytes[] {
    this.bytes += record.bytes.length;
    if (record.bytes[0]! >= 0x80) {
      const { length } = record.body;
      this.lengths.set(length, (this.lengths.get(length) ?? 0) + 1);
    }
    this.watch?.(record);
    return this.edit?.(record) ?? [record.bytes];
  }
}

/**
 * An end of a link with somebody on the way who sees, and may change, what is written to it. The first
 * write is the greeting and passes; behind it come records.
 */
export class WireTap implements ByteStream {
  readonly #inner: ByteStream;
  readonly #direction: WireDirection;
  #greeted = false;
  #partial: Bytes = new Uint8Array(0);

  constructor(inner: ByteStream, direction: WireDirection) {
    this.#inner = inner;
    this.#direction = direction;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#inner.read(buffer);
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (!this.#greeted) {
      this.#greeted = true;
      await writeAll(this.#inner, bytes);
      return bytes.length;
    }
    this.#partial = concat(this.#partial, bytes);
    for (let record = this.#next(); record; record = this.#next()) {
      for (const each of this.#direction.pass(record)) {
        await writeAll(this.#inner, each);
      }
    }
    return bytes.length;
  }

  close(): void {
    this.#inner.close();
  }

  #next(): WireRecord | undefined {
    if (this.#partial.length < 4) return undefined;
    const word = new DataView(
      this.#partial.buffer,
      this.#partial.byteOffset,
    ).getUint32(0);
    const isBare = word >= BARE;
    const end = 4 + (isBare ? word - BARE : word);
    if (this.#partial.length < end) return undefined;
    const bytes = this.#partial.slice(0, end);
    this.#partial = this.#partial.subarray(end);
    const body = bytes.subarray(4);
    const index = BODY_BYTES.findIndex((each) => each === body.length);
    const size = isBare && index >= 0 ? index as CellSize : undefined;
    return { bytes, body, size };
  }
}

/** The record with one bit of its body flipped. */
export function flipped(record: WireRecord, bit: number): Bytes {
  const bytes = record.bytes.slice();
  bytes[4 + (bit >> 3)]! ^= 1 << (bit & 7);
  return bytes;
}
