import type { ConsensusRelay } from "../../directory/mod.ts";
import type { RandomSource } from "../../protocol/mod.ts";
import { randomBelow } from "../../protocol/mod.ts";

/**
 * Bytes per second above which a relay is not chosen more often: 10 Gbit/s. What a relay says of itself
 * nobody has measured, and one that boasts must not draw all circuits to itself.
 */
const BANDWIDTH_CAP = 1_250_000_000;

/**
 * One of `relays`, each as likely as the bandwidth that it offers; one that offers none counts as if it
 * offered one byte per second. `undefined` if there is none.
 */
export function chooseRelay(
  relays: readonly ConsensusRelay[],
  random: RandomSource,
): ConsensusRelay | undefined {
  if (relays.length === 0) return undefined;
  const total = relays.reduce((sum, relay) => sum + weightOf(relay), 0);
  let left = randomBelow(total, random);
  return relays.find((relay) => (left -= weightOf(relay)) < 0);
}

function weightOf(relay: ConsensusRelay): number {
  const { bandwidth } = relay.descriptor;
  return Math.min(Math.max(bandwidth, 1), BANDWIDTH_CAP);
}
