import type { Bytes } from "../../protocol/mod.ts";
import { DROP_ID_BYTES, EXCHANGE_BYTES } from "../sizes.ts";

/**
 * The numbers of payloads (512 bytes each, drop id first) sorted by their drop; those at one drop stay in the
 * order in which they came.
 *
 * A radix sort, byte by byte from the last: its time depends on how many payloads there are and on
 * nothing else. Who chooses the ids can make a hash table slow, and a hash table of strings cannot be
 * overwritten afterwards.
 */
export function sortByDrop(payloads: Bytes): Uint32Array {
  const count = payloads.length / EXCHANGE_BYTES;
  const ids = new Uint8Array(count * DROP_ID_BYTES);
  for (let i = 0; i < count; i++) {
    const at = i * EXCHANGE_BYTES;
    ids.set(payloads.subarray(at, at + DROP_ID_BYTES), i * DROP_ID_BYTES);
  }
  let sorted = new Uint32Array(count);
  for (let i = 0; i < count; i++) sorted[i] = i;
  let other = new Uint32Array(count);
  const places = new Uint32Array(257);
  for (let byte = DROP_ID_BYTES - 1; byte >= 0; byte--) {
    places.fill(0);
    for (let at = byte; at < ids.length; at += DROP_ID_BYTES) {
      places[ids[at]! + 1]!++;
    }
    for (let value = 1; value < 257; value++) {
      places[value]! += places[value - 1]!;
    }
    for (let i = 0; i < count; i++) {
      const payload = sorted[i]!;
      other[places[ids[payload * DROP_ID_BYTES + byte]!]!++] = payload;
    }
    [sorted, other] = [other, sorted];
  }
  ids.fill(0);
  other.fill(0);
  places.fill(0);
  return sorted;
}
