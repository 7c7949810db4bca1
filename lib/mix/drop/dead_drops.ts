import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { DROP_ID_BYTES, EXCHANGE_BYTES, SEALED_BYTES } from "../sizes.ts";
import { sortByDrop } from "./drop_order.ts";

/** What came of the drops of a round. */
export interface DropResult {
  /** For every payload, in their order, the 496 bytes that its sender gets. */
  readonly replies: Bytes;
  /** At how many drops there was one message. With the noise of the mixes in it, this may be seen. */
  readonly singles: number;
  /** At how many drops there were two. */
  readonly pairs: number;
  /** At how many drops there were more: somebody guesses drops, or repeats onions. */
  readonly crowds: number;
}

/**
 * Exchanges what lies at one drop. The last mix does this, once a round.
 *
 * Two at a drop get each other's message. One alone gets its own back, which tells its sender that nobody
 * was there. Of three or more the first two are exchanged and the others get random bytes: whoever finds a
 * drop out learns nothing from it but that he was late.
 *
 * `payloads` are overwritten by zeros: after the round there is nothing left of it here.
 *
 * @param payloads drop id 16 ‖ sealed 496, any number behind one another.
 * @throws {RangeError} if their length is no multiple of 512.
 */
export function exchangeAtDrops(
  payloads: Bytes,
  random: RandomSource,
): DropResult {
  if (payloads.length % EXCHANGE_BYTES !== 0) {
    throw new RangeError(
      `Cannot exchange ${payloads.length} bytes: no multiple of ${EXCHANGE_BYTES}`,
    );
  }
  const order = sortByDrop(payloads);
  const replies = new Uint8Array(order.length * SEALED_BYTES);
  const counts = { singles: 0, pairs: 0, crowds: 0 };
  let from = 0;
  while (from < order.length) {
    const first = order[from]!;
    let to = from + 1;
    while (to < order.length && isSameDrop(payloads, first, order[to]!)) to++;
    if (to - from === 1) {
      counts.singles++;
      give(payloads, first, replies, first);
    } else {
      if (to - from === 2) counts.pairs++;
      else counts.crowds++;
      const second = order[from + 1]!;
      give(payloads, first, replies, second);
      give(payloads, second, replies, first);
    }
    for (let late = from + 2; late < to; late++) {
      replies.set(random(SEALED_BYTES), order[late]! * SEALED_BYTES);
    }
    from = to;
  }
  order.fill(0);
  payloads.fill(0);
  return { replies, ...counts };
}

function isSameDrop(payloads: Bytes, a: number, b: number): boolean {
  const atA = a * EXCHANGE_BYTES;
  const atB = b * EXCHANGE_BYTES;
  for (let i = 0; i < DROP_ID_BYTES; i++) {
    if (payloads[atA + i] !== payloads[atB + i]) return false;
  }
  return true;
}

function give(
  payloads: Bytes,
  from: number,
  replies: Bytes,
  to: number,
): void {
  const at = from * EXCHANGE_BYTES;
  replies.set(
    payloads.subarray(at + DROP_ID_BYTES, at + EXCHANGE_BYTES),
    to * SEALED_BYTES,
  );
}
