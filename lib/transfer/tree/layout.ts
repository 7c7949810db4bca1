import { MalformedError } from "../../protocol/mod.ts";
import { contentSize } from "./tree_entry.ts";
import type { Manifest } from "./tree_entry.ts";

/** Bytes of the length that stands before the manifest. */
export const HEAD_BYTES = 4;

/** Shortest padded length, in bytes. */
export const PADDED_MINIMUM = 16_384;

/**
 * Where everything lies in the one sequence of bytes that a transfer is:
 *
 *     u32 length of the manifest || manifest || contents of the files, in the order of the manifest
 *     || zeros up to the padded length
 */
export class Layout {
  /** Where the first content begins: behind the manifest. */
  readonly contentStart: number;
  /** Bytes without the padding. */
  readonly total: number;
  /** Bytes with the padding: all that an onlooker learns of the size. */
  readonly padded: number;
  readonly #starts: Float64Array;

  /**
   * Of a manifest and the contents which that announces.
   *
   * @param manifestLength of the encoded manifest, in bytes.
   * @throws {MalformedError} if the padded length is 2^53 or more.
   */
  constructor(manifestLength: number, manifest: Manifest) {
    const { entries } = manifest;
    this.contentStart = HEAD_BYTES + manifestLength;
    this.#starts = new Float64Array(entries.length + 1);
    let at = this.contentStart;
    for (let i = 0; i < entries.length; i++) {
      this.#starts[i] = at;
      at += contentSize(entries[i]!);
    }
    this.#starts[entries.length] = at;
    this.total = at;
    this.padded = paddedLength(at);
  }

  /** Where the content of entry `index` begins. One behind the last entry: where the padding does. */
  start(index: number): number {
    return this.#starts[index]!;
  }

  /**
   * The index of the entry whose content holds the byte at `offset`; none (-1) for a byte of the
   * manifest or of the padding.
   */
  entryAt(offset: number): number {
    if (offset < this.contentStart || offset >= this.total) return -1;
    return this.firstFrom(offset + 1) - 1;
  }

  /** The index of the first entry whose content, be it empty, begins at `offset` or behind it. */
  firstFrom(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * `length` made longer, so that it tells log log `length` bits of itself and grows by at most 12 %:
 * Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
 * PURBs", PoPETs 2019, Algorithm 1), and at least `PADDED_MINIMUM`.
 *
 * @throws {MalformedError} if the result is 2^53 or more.
 */
export function paddedLength(length: number): number {
  if (length <= PADDED_MINIMUM) return PADDED_MINIMUM;
  const exponent = floorLog2(length);
  const kept = floorLog2(exponent) + 1;
  // A power of two divides without rounding, so this is exact below 2^53.
  const unit = 2 ** (exponent - kept);
  const padded = Math.ceil(length / unit) * unit;
  if (!Number.isSafeInteger(padded)) {
    throw new MalformedError("Cannot lay out a transfer: 2^53 bytes or more");
  }
  return padded;
}

/** Exact, where `Math.log2` rounds near powers of two. `value` is a positive safe integer. */
function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
}
