import type { RandomSource } from "../../protocol/mod.ts";
import { randomBelow } from "../../protocol/mod.ts";
import { indexIn, RoundKind } from "../round.ts";
import type { RoundId } from "../round.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import { unusable } from "./check_settings.ts";

/** A round that will be taken part in. Times are milliseconds since 1970 on the coordinator's clock. */
export interface PlannedRound {
  /** The settings of its run. */
  readonly settings: RunSettings;
  /** Which round. */
  readonly round: RoundId;
  /** Which of its run. */
  readonly index: number;
  /** When the onions are handed in. */
  readonly sendAt: number;
  /** When the window closes. */
  readonly closesAt: number;
  /** When nobody will answer any more. */
  readonly forgetAt: number;
}

/** A round that was to be taken part in, and for which it is too late. */
export interface MissedRound {
  /** The settings of its run. */
  readonly settings: RunSettings;
  /** Which round. */
  readonly round: RoundId;
}

/** What there is to do for a kind of rounds. */
export interface Plan {
  /** Rounds since the last plan for which it is too late. */
  readonly missed: readonly MissedRound[];
  /** The next one, if any is known of. */
  readonly next: PlannedRound | undefined;
}

/** The part of the window in which onions go; the rest is for the way. */
const PART = 0.7;
/** Periods, and milliseconds at least, after the window within which the entry answers. */
const ANSWER_PERIODS = 3;
const ANSWER_MINIMUM = 6_000;
/** Beyond the entry's own deadline, in milliseconds. */
const PATIENCE = 2_000;
/** Runs of a kind that are known at a time: the one that is on, and some to come. */
const RUNS_LIMIT = 4;

/** Settings, and where others take over. */
interface KnownRun {
  readonly settings: RunSettings;
  /** No round from here on is theirs. */
  readonly until: number;
}

/** What is known of the rounds of a kind. */
interface Schedule {
  runs: readonly KnownRun[];
  /** No round that starts before is planned (again). */
  from: number;
}

/**
 * Decides which rounds are taken part in, and when the onions of each are handed in: at a uniformly random
 * time in the first 70 % of the window, less what the way takes. No time of the day comes in but as a
 * number, and nothing at all of what is in the onions. A round is planned once and never again, whatever
 * the coordinator says afterwards.
 */
export class RoundPlanner {
  readonly #random: RandomSource;
  readonly #schedules: Readonly<Record<RoundKind, Schedule>> = {
    [RoundKind.EXCHANGE]: { runs: [], from: 0 },
    [RoundKind.DIALING]: { runs: [], from: 0 },
  };

  /** `random` as `randomBytes`. */
  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** A new connection: runs are announced afresh. Rounds that were planned stay used. */
  renew(): void {
    for (const schedule of Object.values(this.#schedules)) schedule.runs = [];
  }

  /**
   * Takes settings that were verified. They void all others, of whichever rounds, from their first on:
   * mixes keep to what they signed last, and the coordinator tells of it in that order.
   *
   * @throws {MixError} `ERR_MIX_SETTINGS` if all of their rounds were used, or too many are known.
   */
  take(settings: RunSettings, now: number): void {
    const { kind, first, count, period } = settings;
    const schedule = this.#schedules[kind];
    const last = first + (count - 1) * period;
    if (last < schedule.from) throw unusable("their rounds were used");
    const runs = schedule.runs
      .map((run) => ({ ...run, until: Math.min(run.until, first) }))
      .filter(({ settings, until }) =>
        until > settings.first &&
        Math.min(until, endOf(settings)) > schedule.from
      );
    if (runs.length >= RUNS_LIMIT) throw unusable("too many are known");
    if (schedule.runs.length === 0) {
      schedule.from = Math.max(schedule.from, now);
    }
    schedule.runs = [...runs, { settings, until: Infinity }];
  }

  /** Whether a round that was planned is still one of the settings by which it was. */
  holds({ round, settings }: PlannedRound): boolean {
    return this.#schedules[round.kind].runs.some((run) =>
      run.settings === settings && round.start < run.until
    );
  }

  /**
   * The next round of a kind, which is not planned again. A round that has begun cannot be planned any
   * more: its time could not be drawn from all of the window.
   *
   * @param spare milliseconds that onions go before they must: what the way takes, and caution.
   */
  plan(kind: RoundKind, now: number, spare: number): Plan {
    const schedule = this.#schedules[kind];
    const missed: MissedRound[] = [];
    for (;;) {
      const found = earliest(schedule);
      if (found === undefined) return { missed, next: undefined };
      schedule.from = found.start + 1;
      if (found.start >= now) {
        return { missed, next: this.#planned(found, spare) };
      }
      const { settings, start } = found;
      missed.push({ settings, round: { kind, start } });
    }
  }

  /** Gives back a round that was planned and not handed in, with all behind it: they are planned anew. */
  giveBack({ kind, start }: RoundId): void {
    const schedule = this.#schedules[kind];
    schedule.from = Math.min(schedule.from, start);
  }

  #planned(
    { settings, start, index }: Found,
    spare: number,
  ): PlannedRound {
    const { kind, window, period } = settings;
    const span = Math.floor(window * PART - spare);
    const closesAt = start + window;
    return {
      settings,
      round: { kind, start },
      index,
      sendAt: start + (span > 1 ? randomBelow(span, this.#random) : 0),
      closesAt,
      forgetAt: closesAt + PATIENCE +
        Math.max(ANSWER_MINIMUM, ANSWER_PERIODS * period),
    };
  }
}

interface Found {
  readonly settings: RunSettings;
  readonly start: number;
  readonly index: number;
}

/** The first round that may still be planned. */
function earliest({ runs, from }: Schedule): Found | undefined {
  for (const { settings, until } of runs) {
    const { first, period } = settings;
    const passed = Math.max(0, Math.ceil((from - first) / period));
    const start = first + passed * period;
    const index = indexIn(settings, start);
    if (index !== undefined && start < until) return { settings, start, index };
  }
  return undefined;
}

function endOf({ first, count, period }: RunSettings): number {
  return first + count * period;
}
