import { sameBytes } from "./byte_order.ts";
import { ConsensusError } from "./consensus_error.ts";
import type { ConsensusHeader } from "./consensus_header.ts";
import { hashHeader } from "./consensus_header.ts";

/** Headers of the chain that a controller keeps: a year of one every five minutes. */
export const CHAIN_LIMIT = 100_000;

/**
 * Insists that `next` descends from `head`: it is `head`, or `between` leads from `head` to it, each
 * naming the hash of the one before. A client that holds to this sees every consensus that any other
 * client can be shown, or notices that there are two chains.
 *
 * @param head the consensus known before.
 * @param between the headers of all heights between the two, ascending.
 * @throws {ConsensusError} `ERR_CONSENSUS_FORKED` if it does not descend.
 */
export async function checkSuccession(
  head: ConsensusHeader,
  between: readonly ConsensusHeader[],
  next: ConsensusHeader,
): Promise<void> {
  const [headHash, nextHash] = await Promise.all([
    hashHeader(head),
    hashHeader(next),
  ]);
  if (sameBytes(headHash, nextHash)) return;
  if (next.height === head.height) {
    throw forked(`there are two of height ${head.height}`);
  }
  if (next.height < head.height) {
    throw forked(
      `it has height ${next.height}, one of height ${head.height} is known`,
    );
  }
  if (between.length !== next.height - head.height - 1) {
    throw forked("the way from the known one to it is not shown");
  }
  let [height, hash] = [head.height, headHash];
  for (const each of [...between, next]) {
    if (each.height !== ++height || !sameBytes(each.previous, hash)) {
      throw forked("it does not descend from the known one");
    }
    hash = await hashHeader(each);
  }
}

function forked(seen: string): ConsensusError {
  return new ConsensusError(
    "ERR_CONSENSUS_FORKED",
    `${seen}; the controllers lie, or were set up anew`,
  );
}
