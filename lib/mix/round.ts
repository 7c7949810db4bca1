/** What a round is for. */
export const RoundKind = {
  /** Two-way: what meets at a dead drop is exchanged and comes back. */
  EXCHANGE: 1,
  /** One-way: tokens that call people go into the filters of their buckets. */
  DIALING: 2,
} as const;
/** One of the numbers in `RoundKind`. */
export type RoundKind = typeof RoundKind[keyof typeof RoundKind];

/** How the layers of a run are keyed. */
export const RunMode = {
  /** Every round has an onion key of every mix; each onion is agreed on anew. */
  ROUNDS: 0,
  /** The first round sets up circuits, the others use them: cheaper, and mixes can link a run's rounds. */
  CIRCUITS: 1,
} as const;
/** One of the numbers in `RunMode`. */
export type RunMode = typeof RunMode[keyof typeof RunMode];

/**
 * Which round: its kind, and when it starts, in milliseconds since 1970 on the coordinator's clock.
 * Time only goes on, so no two rounds of a kind are the same, whatever restarts.
 */
export interface RoundId {
  /** What it is for. */
  readonly kind: RoundKind;
  /** When it starts. */
  readonly start: number;
}

/** The rounds that share one settings document: `count` of them, one every `period` from `first` on. */
export interface Run {
  /** What they are for. */
  readonly kind: RoundKind;
  /** How their layers are keyed. */
  readonly mode: RunMode;
  /** Start of the first, in milliseconds since 1970. */
  readonly first: number;
  /** How many, 1 to 512. */
  readonly count: number;
  /** From one start to the next, in milliseconds, 200 to 600,000. */
  readonly period: number;
}

/** Which of a run's rounds starts then: 0 to `count` - 1; `undefined` if none does. */
export function indexIn(run: Run, start: number): number | undefined {
  const index = (start - run.first) / run.period;
  return Number.isInteger(index) && index >= 0 && index < run.count
    ? index
    : undefined;
}

/** A round's name in maps. */
export function roundName({ kind, start }: RoundId): string {
  return `${kind}/${start}`;
}
