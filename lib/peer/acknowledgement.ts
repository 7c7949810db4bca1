import { MalformedError } from "../protocol/mod.ts";
import type { Reader, Writer } from "../protocol/mod.ts";

/** So many runs of numbers above a gap are remembered. */
export const RANGE_LIMIT = 256;
/** So many numbers behind the first missing one a selective acknowledgement can name. */
export const SACK_BITS = 32;

const HIGHEST = 0xffffffff;

/** Message numbers that follow each other. */
export interface SequenceRange {
  /** The lowest of them. */
  readonly first: number;
  /** The highest of them. */
  readonly last: number;
}

/** Which message numbers (from 1, u32) have arrived. A value, never changed. */
export interface SequenceSet {
  /** All up to this number. */
  readonly cumulative: number;
  /** Those beyond, sorted, with at least one missing number before each range; at most 256. */
  readonly ranges: readonly SequenceRange[];
}

/** The two words of a message that say what arrived. */
export interface Acknowledgement {
  /** Every message up to this number has arrived. */
  readonly ack: number;
  /** Bit i (of value 2^i): message `ack` + 2 + i has arrived. Message `ack` + 1 has not. */
  readonly sack: number;
}

/** Nothing has arrived. */
export const NO_SEQUENCES: SequenceSet = { cumulative: 0, ranges: [] };

/** Whether `seq` is in the set. */
export function hasSequence(set: SequenceSet, seq: number): boolean {
  return seq <= set.cumulative ||
    set.ranges.some(({ first, last }) => first <= seq && seq <= last);
}

/**
 * The set with the numbers from `first` (at least 1) to `last` added.
 *
 * @throws {RangeError} if that leaves more than 256 runs above gaps.
 */
export function addSequences(
  set: SequenceSet,
  first: number,
  last: number,
): SequenceSet {
  if (first < 1 || last > HIGHEST || first > last) {
    throw new RangeError(`Cannot add the numbers ${first} to ${last}`);
  }
  if (last <= set.cumulative) return set;
  const touching = set.ranges.filter((range) =>
    range.first <= last + 1 && first <= range.last + 1
  );
  const merged = {
    first: Math.min(first, ...touching.map((range) => range.first)),
    last: Math.max(last, ...touching.map((range) => range.last)),
  };
  const apart = set.ranges.filter((range) => !touching.includes(range));
  if (merged.first <= set.cumulative + 1) {
    return { cumulative: merged.last, ranges: apart };
  }
  const ranges = [...apart, merged].sort((a, b) => a.first - b.first);
  if (ranges.length > RANGE_LIMIT) {
    throw new RangeError(
      `Cannot add a number: more than ${RANGE_LIMIT} runs apart`,
    );
  }
  return { cumulative: set.cumulative, ranges };
}

/** What to tell the sender about the set. Numbers beyond the reach of `sack` stay unsaid. */
export function acknowledge(set: SequenceSet): Acknowledgement {
  let sack = 0;
  for (let bit = 0; bit < SACK_BITS; bit++) {
    if (hasSequence(set, set.cumulative + 2 + bit)) sack += 2 ** bit;
  }
  return { ack: set.cumulative, sack };
}

/**
 * The set of what the peer has, with what one more of its messages says. It only grows, so that an
 * old message that comes late takes nothing back.
 */
export function addAcknowledgement(
  set: SequenceSet,
  { ack, sack }: Acknowledgement,
): SequenceSet {
  let known = ack === 0 ? set : addSequences(set, 1, ack);
  for (let bit = 0; bit < SACK_BITS; bit++) {
    if (((sack >>> bit) & 1) === 0) continue;
    const seq = ack + 2 + bit;
    known = addSequences(known, seq, seq);
  }
  return known;
}

/** The highest number that an acknowledgement names, 0 if none. May exceed a u32 if it is a lie. */
export function highestAcknowledged({ ack, sack }: Acknowledgement): number {
  return sack === 0 ? ack : ack + 2 + (31 - Math.clz32(sack));
}

/** cumulative u32 ‖ count u16 ‖ (first u32 ‖ last u32) each. */
export function writeSequenceSet(writer: Writer, set: SequenceSet): void {
  writer.u32(set.cumulative).u16(set.ranges.length);
  for (const { first, last } of set.ranges) writer.u32(first).u32(last);
}

/**
 * Inverse of `writeSequenceSet`.
 *
 * @throws {MalformedError} if the ranges are too many or not sorted and apart.
 */
export function readSequenceSet(reader: Reader): SequenceSet {
  const cumulative = reader.u32();
  const count = reader.u16();
  const ranges: SequenceRange[] = [];
  let before = cumulative;
  for (let i = 0; i < Math.min(count, RANGE_LIMIT + 1); i++) {
    const first = reader.u32();
    const last = reader.u32();
    if (first <= before + 1 || last < first || i === RANGE_LIMIT) {
      throw new MalformedError("Cannot read a set of numbers: bad range");
    }
    ranges.push({ first, last });
    before = last;
  }
  return { cumulative, ranges };
}
