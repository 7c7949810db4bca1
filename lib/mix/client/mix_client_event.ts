import type { MalformedError } from "../../protocol/mod.ts";
import type { MixError } from "../mix_error.ts";
import type { NoiseLevel } from "../noise/noise_level.ts";
import type { RoundId, RoundKind, RunMode } from "../round.ts";
import type { Loss } from "./sources.ts";

/** What the signed settings of a run promise, for people. */
export interface ChainView {
  /** What its rounds are for. */
  readonly kind: RoundKind;
  /** How its layers are keyed. */
  readonly mode: RunMode;
  /** From one round to the next, in milliseconds. */
  readonly period: number;
  /** How many onions are handed in, in every round. */
  readonly slots: number;
  /** The chain in order: fingerprints as hex, and the noise that each adds unless it is the last. */
  readonly mixes: readonly {
    readonly fingerprint: string;
    readonly noise: NoiseLevel;
  }[];
}

/** How far the coordinator's clock is off, and how long the way is. */
export interface ClockView {
  /** Milliseconds by which the coordinator's clock is ahead of this machine's. */
  readonly ahead: number;
  /** Milliseconds to the entry and back. */
  readonly roundTrip: number;
}

/** How a round has ended for this client. */
export type RoundResult = "done" | Loss;

/** What has become of a round for this client. */
export interface RoundEnd {
  /** In a word. */
  readonly outcome: RoundResult;
  /** How many of the onions handed in carried something of a source; 0 if none were handed in. */
  readonly real: number;
  /** Covers that nobody else can have answered and that have not come back: somebody dropped them. */
  readonly missing: number;
  /** Which of the chain's mixes it failed at, 0 for the first, if the entry has said that it failed. */
  readonly place: number | undefined;
}

/** Something that people, or a program, may want to know of. */
export type MixClientEvent =
  /** The entry has taken this client in. */
  | { readonly type: "joined" }
  /** The connection is gone, or could not be made; it is tried again after `retryIn` milliseconds. */
  | {
    readonly type: "gone";
    readonly error: unknown;
    readonly retryIn: number;
  }
  /** A run with another chain, mode, period or number of slots than the one before of its kind. */
  | { readonly type: "chain"; readonly chain: ChainView }
  /** Settings that will not be used. */
  | { readonly type: "refused"; readonly error: MixError | MalformedError }
  /** The clock was measured anew. */
  | { readonly type: "clock"; readonly clock: ClockView }
  /** Onions came too late, or in time again: from now on they go `earlier` ms earlier than they need to. */
  | { readonly type: "adapted"; readonly earlier: number }
  /** A round is over, or was missed; `chain` is what its settings promised, for the privacy budget. */
  | RoundEnd & {
    readonly type: "round";
    readonly round: RoundId;
    readonly chain: ChainView;
  }
  /** A source failed, and what it did not fill carried cover; or onions could not be made. */
  | { readonly type: "fault"; readonly error: unknown };

/** Rounds of one kind, counted since the start. */
export interface RoundCounts {
  /** Answered. */
  readonly done: number;
  /** Handed in too late, or not at all. */
  readonly late: number;
  /** Come to nothing at the mixes. */
  readonly failed: number;
  /** Handed in, and never answered. */
  readonly unknown: number;
}

/** How things stand. */
export interface MixClientStatus {
  /** Whether the entry has taken this client in. */
  readonly joined: boolean;
  /** What the latest settings of exchange rounds promise. */
  readonly chain: ChainView | undefined;
  /** The last measurement of the clock. */
  readonly clock: ClockView | undefined;
  /** Rounds of exchange. */
  readonly exchange: RoundCounts;
  /** Rounds of dialing. */
  readonly dialing: RoundCounts;
  /** Exchange rounds in which something real was handed in: what the privacy budget is spent on. */
  readonly spent: number;
  /** Covers that should have come back and have not. */
  readonly missing: number;
  /** Milliseconds until the next exchange round starts, if one is known of. */
  readonly nextIn: number | undefined;
}
