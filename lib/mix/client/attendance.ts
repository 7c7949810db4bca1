import type { MalformedError, RandomSource } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import { RoundKind } from "../round.ts";
import type { RoundId } from "../round.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import { Announcements } from "./announcements.ts";
import { Caution } from "./caution.ts";
import { checkSettings } from "./check_settings.ts";
import { bestReading } from "./clock_sample.ts";
import type { ClockReading, ClockSample } from "./clock_sample.ts";
import { CoordinatorTime } from "./coordinator_time.ts";
import { EntryLink } from "./entry_link.ts";
import type { FetchedFilter } from "./entry_link.ts";
import { KindRounds } from "./kind_rounds.ts";
import type { KindRoundsOptions } from "./kind_rounds.ts";
import { MakingTime } from "./making_time.ts";
import type { ClockView } from "./mix_client_event.ts";
import type { MixPolicy, Turn } from "./mix_client_options.ts";
import type { RoundClock } from "./round_clock.ts";
import type { RoundLink } from "./round_link.ts";
import type { RoundPlanner } from "./round_planner.ts";
import type { OnionsOfRuns } from "./run_onions.ts";
import type { Filler } from "./slot_contents.ts";
import type { IdentityOf } from "../settings/signed_settings.ts";

/** Questions for the time at the beginning, and whenever it is measured again. */
const FIRST_PROBES = 5;
const LATER_PROBES = 3;
/** From one measurement to the next, in milliseconds, whatever happens in between. */
const PROBE_EVERY = 30_000;
/** How long the entry may take to answer, in milliseconds. */
const PATIENCE = 10_000;
/** A clock that is found to be off by more was wrong, and not just measured a little differently. */
const WRONG = 50;

/** What attending needs, beside the connection. */
export interface AttendanceOptions {
  /** The own time. */
  readonly clock: RoundClock;
  /** As `randomBytes`. */
  readonly random: RandomSource;
  /** The certificate of a mix that may stand in a chain. */
  readonly identityOf: IdentityOf;
  /** What is insisted on. */
  readonly policy: MixPolicy;
  /** Says which rounds are taken part in. It outlives connections. */
  readonly planner: RoundPlanner;
  /** Makes the onions. It outlives connections. */
  readonly onions: OnionsOfRuns;
  /** Who fills the slots of rounds; without one there is cover. */
  readonly fillers: Readonly<Record<RoundKind, Filler | undefined>>;
  /** As for `MixClient`. */
  readonly makeAhead: number;
  /** As for `MixClient`. */
  readonly turn: Turn;
  /** As for `MixClient`. */
  readonly checksCovers: boolean;
  /** Told of everything. */
  readonly report: AttendanceReport;
}

/** Who is told of what happens on a connection. */
export interface AttendanceReport {
  /** The entry has taken this client in, and the time is known. */
  readonly joined: () => void;
  /** The clock was measured. */
  readonly clock: (view: ClockView) => void;
  /** Onions go so many milliseconds earlier from now on. */
  readonly adapted: (earlier: number) => void;
  /** Settings were taken. */
  readonly settings: (settings: RunSettings) => void;
  /** Settings will not be used. */
  readonly refused: (error: MixError | MalformedError) => void;
  /** As in `KindRoundsOptions`. */
  readonly submitted: (round: RoundId, real: number) => void;
  /** As in `KindRoundsOptions`. */
  readonly over: KindRoundsOptions["over"];
  /** A source failed, or onions could not be made. */
  readonly fault: (error: unknown) => void;
}

/** One connection to the entry, from JOIN to its end: the clock, the settings and the rounds on it. */
export class Attendance {
  readonly #options: AttendanceOptions;
  readonly #entry: EntryLink;
  readonly #announcements: Announcements;
  readonly #caution = new Caution();
  #time: CoordinatorTime | undefined;
  #rounds: Readonly<Record<RoundKind, KindRounds>> | undefined;
  #cancelProbe: () => void = () => {};
  #isMeasuring = false;
  #earlier = 0;
  #hasEnded = false;

  /** Nothing is said before `serve`. */
  constructor(link: RoundLink, options: AttendanceOptions) {
    this.#options = options;
    this.#announcements = new Announcements({
      identityOf: options.identityOf,
      take: (settings) => this.#take(settings),
      refused: options.report.refused,
      breach: (error) => this.#entry.abort(error),
    });
    this.#entry = new EntryLink(link, {
      announced: (document) => this.#announcements.add(document),
      done: (round, replies) => {
        this.#rounds?.[round.kind].done(round, replies);
        this.#adapted();
      },
      late: (round, by) => this.#late(round, by),
      failed: (round, place) => this.#rounds?.[round.kind].failed(round, place),
    });
  }

  /** The coordinator's time, once it is known. */
  get now(): number | undefined {
    return this.#time?.now();
  }

  /** Start of the next exchange round, in milliseconds since 1970 on the coordinator's clock. */
  get next(): number | undefined {
    return this.#rounds?.[RoundKind.EXCHANGE].next;
  }

  /** Attends until the connection ends; that is always an error. */
  async serve(): Promise<never> {
    const served = this.#entry.serve();
    this.#begin().catch((error) => this.#entry.abort(error));
    try {
      return await served;
    } finally {
      this.#end();
    }
  }

  /** As `EntryLink.fetch`. */
  fetch(bucket: number, after: number): Promise<FetchedFilter | undefined> {
    return this.#within(this.#entry.fetch(bucket, after));
  }

  /** Drops the connection, for a reason. */
  abort(error: Error): void {
    this.#entry.abort(error);
  }

  /** Says CLOSE and closes. */
  async close(): Promise<void> {
    this.#end();
    await this.#entry.close();
  }

  async #begin(): Promise<void> {
    const { planner, report, clock } = this.#options;
    await this.#within(this.#entry.join());
    const time = new CoordinatorTime(clock, await this.#measure(FIRST_PROBES));
    if (this.#hasEnded) return;
    this.#time = time;
    planner.renew();
    const making = new MakingTime();
    const roundsOf = (kind: RoundKind) => this.#roundsOf(kind, time, making);
    this.#rounds = {
      [RoundKind.EXCHANGE]: roundsOf(RoundKind.EXCHANGE),
      [RoundKind.DIALING]: roundsOf(RoundKind.DIALING),
    };
    report.joined();
    this.#tellClock(time);
    this.#announcements.open();
    this.#probeLater();
  }

  #roundsOf(
    kind: RoundKind,
    time: CoordinatorTime,
    making: MakingTime,
  ): KindRounds {
    const { report, fillers, ...others } = this.#options;
    return new KindRounds({
      ...others,
      kind,
      time,
      making,
      caution: this.#caution,
      filler: fillers[kind],
      submit: (round, onions) => this.#entry.submit(round, onions),
      begun: () => this.#look(),
      submitted: report.submitted,
      over: report.over,
      fault: report.fault,
    });
  }

  #take(settings: RunSettings): void {
    const { policy, report } = this.#options;
    checkSettings(settings, policy, this.#time!.now());
    this.#rounds![settings.kind].take(settings);
    report.settings(settings);
  }

  #late(round: RoundId, by: number): void {
    if (!this.#rounds?.[round.kind].late(round, by)) return;
    this.#adapted();
    this.#remeasure();
  }

  #adapted(): void {
    const { earlier } = this.#caution;
    if (earlier === this.#earlier) return;
    this.#earlier = earlier;
    this.#options.report.adapted(earlier);
  }

  /** A round begins: have the clocks gone on as they should? */
  #look(): void {
    if (this.#time?.hasJumped) this.#remeasure();
  }

  #probeLater(): void {
    if (this.#hasEnded) return;
    this.#cancelProbe = this.#options.clock.after(PROBE_EVERY, () => {
      this.#remeasure();
      this.#probeLater();
    });
  }

  #remeasure(): void {
    if (this.#isMeasuring || this.#hasEnded) return;
    this.#isMeasuring = true;
    this.#measure(LATER_PROBES).then((reading) => {
      const time = this.#time!;
      if (time.set(reading) > WRONG) this.#caution.forget();
      this.#adapted();
      this.#tellClock(time);
    }).catch((error) => this.#entry.abort(error))
      .finally(() => this.#isMeasuring = false);
  }

  async #measure(times: number): Promise<ClockReading> {
    const { clock } = this.#options;
    const samples: ClockSample[] = [];
    while (samples.length < times) {
      const askedAt = clock.now();
      const told = await this.#within(this.#entry.probe());
      samples.push({ askedAt, told, heardAt: clock.now() });
    }
    return bestReading(samples);
  }

  #tellClock(time: CoordinatorTime): void {
    const roundTrip = Math.round(time.reading.roundTrip);
    this.#options.report.clock({ ahead: time.ahead, roundTrip });
  }

  /** An answer of the entry, which ends the connection if it does not come. */
  async #within<T>(answer: Promise<T>): Promise<T> {
    const cancel = this.#options.clock.after(PATIENCE, () => {
      const silent = "Cannot take part in rounds: the entry does not answer";
      this.#entry.abort(new MixError("ERR_MIX_GONE", silent));
    });
    try {
      return await answer;
    } finally {
      cancel();
    }
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancelProbe();
    this.#announcements.end();
    for (const rounds of Object.values(this.#rounds ?? {})) rounds.end();
  }
}
