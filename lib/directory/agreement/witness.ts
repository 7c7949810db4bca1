import type { Bytes } from "../../protocol/mod.ts";
import { sameBytes } from "../byte_order.ts";
import type { ConsensusSignature } from "../consensus.ts";

/** Ballots of one controller that are remembered. */
const BALLOTS_KEPT = 8;

interface Signed extends ConsensusSignature {
  readonly hash: Bytes;
}

/** What has been heard of the controllers at one height: who has announced and who has signed what. */
export class Witness {
  readonly #quorum: number;
  readonly #announced = new Map<string, Map<number, Bytes>>();
  readonly #signed = new Map<string, Signed>();

  /** `quorum` is how many must agree. */
  constructor(quorum: number) {
    this.#quorum = quorum;
  }

  /** Notes an announcement; `false` if it contradicts one of the same ballot. */
  announce(controller: Bytes, ballot: number, hash: Bytes): boolean {
    const key = controller.toHex();
    const ballots = this.#announced.get(key) ?? new Map<number, Bytes>();
    this.#announced.set(key, ballots);
    const before = ballots.get(ballot);
    if (before !== undefined) return sameBytes(before, hash);
    ballots.set(ballot, hash);
    while (ballots.size > BALLOTS_KEPT) {
      ballots.delete(Math.min(...ballots.keys()));
    }
    return true;
  }

  /** Whether a quorum has announced this body in one ballot: then it is the only one that can be signed. */
  isChosen(hash: Bytes): boolean {
    const counts = new Map<number, number>();
    for (const ballots of this.#announced.values()) {
      for (const [ballot, each] of ballots) {
        if (!sameBytes(each, hash)) continue;
        counts.set(ballot, (counts.get(ballot) ?? 0) + 1);
      }
    }
    return [...counts.values()].some((count) => count >= this.#quorum);
  }

  /** Notes a signature that was verified; `false` if that controller has signed another body. */
  sign(signature: ConsensusSignature, hash: Bytes): boolean {
    const key = signature.controller.fingerprint.toHex();
    const before = this.#signed.get(key);
    if (before !== undefined) return sameBytes(before.hash, hash);
    this.#signed.set(key, { ...signature, hash });
    return true;
  }

  /** The signatures of this body, once there is a quorum of them. */
  signatures(hash: Bytes): readonly ConsensusSignature[] | undefined {
    const same = [...this.#signed.values()]
      .filter((each) => sameBytes(each.hash, hash));
    return same.length >= this.#quorum ? same : undefined;
  }
}
