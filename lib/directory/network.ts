import type { ServerAddress } from "../identity/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { compareBytes, isAscending, sameBytes } from "./byte_order.ts";

/** Controllers that a network has at most. */
export const CONTROLLER_LIMIT = 16;

/** Whom a client or relay trusts to say, together, which relays there are. */
export interface Network {
  /** The controllers, each with its fingerprint; 1 to 16. */
  readonly controllers: readonly ServerAddress[];
  /** How many of them must have signed a consensus: more than half, so that no two can differ. */
  readonly quorum: number;
}

/** A network that cannot be one: a controller without fingerprint, twice the same, a quorum too low. */
export class NetworkError extends Error {
  /** The name of this class. */
  override readonly name = "NetworkError";
  /** Stable, for programs. */
  readonly code = "ERR_NETWORK";
}

/** The least quorum of `controllers`: more than half of them. */
export function majorityOf(controllers: number): number {
  return Math.floor(controllers / 2) + 1;
}

/**
 * A network of these controllers.
 *
 * @param quorum more than half of the controllers; just that if not given.
 * @throws {NetworkError} if there are none or more than 16 of them, one has no fingerprint, two have
 * the same, or the quorum is no number from the majority to all.
 */
export function networkOf(
  controllers: readonly ServerAddress[],
  quorum: number = majorityOf(controllers.length),
): Network {
  const count = controllers.length;
  if (count < 1 || count > CONTROLLER_LIMIT) {
    throw invalid(`${count} controllers, not 1 to ${CONTROLLER_LIMIT}`);
  }
  const prints = controllers.map(({ fingerprint }) => fingerprint);
  if (!prints.every((each) => each !== undefined)) {
    throw invalid("the address of a controller names no fingerprint");
  }
  if (!isAscending(prints.toSorted(compareBytes))) {
    throw invalid("two controllers have the same fingerprint");
  }
  const least = majorityOf(count);
  if (!Number.isInteger(quorum) || quorum < least || quorum > count) {
    throw invalid(`a quorum of ${quorum}, not ${least} to ${count}`);
  }
  return { controllers, quorum };
}

/** The place of a controller in `network.controllers`, or -1 if it is none. */
export function controllerIndex(network: Network, fingerprint: Bytes): number {
  return network.controllers.findIndex((each) =>
    each.fingerprint !== undefined && sameBytes(each.fingerprint, fingerprint)
  );
}

function invalid(seen: string): NetworkError {
  return new NetworkError(`Cannot use these controllers: ${seen}`);
}
