/** How much a mix takes on for one coordinator. */
export interface MixLimits {
  /** Rounds under way at once. */
  readonly rounds: number;
  /** Onions in one round, noise not counted. */
  readonly onions: number;
}

/** 16 rounds of 100,000 onions. */
export const DEFAULT_MIX_LIMITS: MixLimits = { rounds: 16, onions: 100_000 };

/** Runs of one kind that are prepared and not signed yet; whoever asks for more loses the oldest. */
export const PREPARED_LIMIT = 4;
/** Runs of one kind that are signed and not over. */
export const SIGNED_LIMIT = 8;
/** How far ahead a run may begin, in milliseconds: keys are not kept for longer than they are needed. */
export const HORIZON = 3_600_000;
/** How far clocks of coordinator and mix may be apart, in milliseconds. */
export const CLOCK_TOLERANCE = 10_000;
/** Rounds for which noise is made ahead, in each run. */
export const NOISE_AHEAD = 3;

/**
 * How long after the end of its window a round is given up at the latest, in milliseconds: three periods,
 * and no less than six seconds.
 */
export function lifeOf(period: number): number {
  return Math.max(3 * period, 6_000);
}
