import type { RoundKind, Run, RunMode } from "../round.ts";
import { faultOfHead } from "../settings/settings_rules.ts";

/** How rounds of a kind follow each other. */
export interface RoundPlan {
  /** From one start to the next, in milliseconds, 200 to 600,000. */
  readonly period: number;
  /** How long onions are taken from a start on: a share of the period, above 0, at most 1. */
  readonly window: number;
  /** Onions that every client hands in, 1 to 255. */
  readonly slots: number;
  /** Rounds that share one settings document, 1 to 512. */
  readonly count: number;
  /** Buckets of a dialing round, 1 to 65,536; 0 for exchange. */
  readonly buckets: number;
}

/** Three onions every 2 seconds, half a minute with the same settings. */
export const EXCHANGE_PLAN: RoundPlan = {
  period: 2_000,
  window: 0.6,
  slots: 3,
  count: 15,
  buckets: 0,
};

/** One call every 10 seconds, two minutes with the same settings. */
export const DIALING_PLAN: RoundPlan = {
  period: 10_000,
  window: 0.6,
  slots: 1,
  count: 12,
  buckets: 1,
};

/** @throws {RangeError} if rounds cannot follow each other in that way. */
export function checkPlan(
  kind: RoundKind,
  mode: RunMode,
  plan: RoundPlan,
): void {
  const { period, slots, count, buckets } = plan;
  const window = windowOf(plan);
  const fault = faultOfHead(
    { kind, mode, first: 0, count, period, window, slots, buckets },
  );
  if (fault !== undefined) throw new RangeError(`Cannot plan rounds: ${fault}`);
}

/** How long onions are taken from the start of a round on, in milliseconds. */
export function windowOf({ period, window }: RoundPlan): number {
  return Math.round(period * window);
}

/**
 * The first start of a round that is not before `time`: starts are the multiples of the period since
 * 1970, whatever stops and starts again meanwhile, so that nothing adds up.
 */
export function startFrom(time: number, period: number): number {
  return Math.ceil(time / period) * period;
}

/** When the last round of a run gives way to the first of the next one. */
export function endOf({ first, count, period }: Run): number {
  return first + count * period;
}

/**
 * The run to be made now: behind the one before it, unless there is a gap already, and then as early as
 * clients can be told.
 *
 * @param behind end of the run before; anything in the past if there is none.
 * @param lead what clients and mixes need at least to get ready, in milliseconds.
 */
export function nextRun(
  kind: RoundKind,
  mode: RunMode,
  { period, count }: RoundPlan,
  now: number,
  behind: number,
  lead: number,
): Run {
  const first = startFrom(Math.max(behind, now + lead), period);
  return { kind, mode, first, count, period };
}
