import { ChainFault } from "./chain_round.ts";
import type { RoundEnd } from "./open_round.ts";

/** What has become of the rounds of a kind. */
export interface RoundStatus {
  /** Rounds that were answered. */
  readonly done: number;
  /** Rounds that came to nothing. */
  readonly failed: number;
  /** Runs that were given up because a mix was gone. */
  readonly voided: number;
  /** How often onions came when a round was closed, or not open yet. */
  readonly late: number;
  /** Onions that were handed in, in all rounds that were answered. */
  readonly onions: number;
  /** The last round that was answered, if there was one. */
  readonly last: LastRound | undefined;
}

/** A round that was answered. */
export interface LastRound {
  /** When it started, in milliseconds since 1970. */
  readonly start: number;
  /** Onions that were handed in. */
  readonly onions: number;
  /** Milliseconds that each mix of the chain worked on it, its way there and back included. */
  readonly durations: readonly number[];
}

/** Counts what becomes of rounds. */
export class RoundTally {
  #done = 0;
  #failed = 0;
  #voided = 0;
  #late = 0;
  #onions = 0;
  #last: LastRound | undefined;

  /** What was counted so far. */
  get status(): RoundStatus {
    return {
      done: this.#done,
      failed: this.#failed,
      voided: this.#voided,
      late: this.#late,
      onions: this.#onions,
      last: this.#last,
    };
  }

  /** A round is over. */
  over(start: number, onions: number, end: RoundEnd): void {
    if (end instanceof ChainFault) this.#failed++;
    else {
      this.#done++;
      this.#onions += onions;
      this.#last = { start, onions, durations: end.durations };
    }
  }

  /** Onions came when they could not be taken. */
  late(): void {
    this.#late++;
  }

  /** A run was given up. */
  voided(): void {
    this.#voided++;
  }
}
