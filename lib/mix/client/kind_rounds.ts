import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import type { RoundId, RoundKind } from "../round.ts";
import { RunMode } from "../round.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import type { Caution } from "./caution.ts";
import type { CoordinatorTime } from "./coordinator_time.ts";
import { FilledRound } from "./filled_round.ts";
import type { MakingTime } from "./making_time.ts";
import type { RoundEnd } from "./mix_client_event.ts";
import type { PlannedRound, RoundPlanner } from "./round_planner.ts";
import type { Turn } from "./mix_client_options.ts";
import type { OnionsOfRuns } from "./run_onions.ts";
import type { Content, Filler } from "./slot_contents.ts";
import type { Loss } from "./sources.ts";

/** How long a source has to say what goes into a round, in milliseconds. */
const ASKING = 150;

/** What the rounds of one kind need of everything around them, on one connection. */
export interface KindRoundsOptions {
  /** Which kind. */
  readonly kind: RoundKind;
  /** Says which round is next, and when its onions go. */
  readonly planner: RoundPlanner;
  /** The coordinator's time. */
  readonly time: CoordinatorTime;
  /** By how much onions go earlier than they need to. */
  readonly caution: Caution;
  /** How long before they are due the making of onions begins. */
  readonly making: MakingTime;
  /** Makes the onions. */
  readonly onions: OnionsOfRuns;
  /** As `randomBytes`. */
  readonly random: RandomSource;
  /** Who fills slots; without one there is cover only. */
  readonly filler: Filler | undefined;
  /** How long before they are due the onions of pure cover are made, in milliseconds. */
  readonly makeAhead: number;
  /** Lets onions be made. */
  readonly turn: Turn;
  /** Whether replies to covers are opened. */
  readonly checksCovers: boolean;
  /** Hands in onions. */
  readonly submit: (round: RoundId, onions: Bytes) => void;
  /** A round has begun to be made. */
  readonly begun: () => void;
  /** A round was handed in, with so many contents of a source. */
  readonly submitted: (round: RoundId, real: number) => void;
  /** A round is over, or was missed. `real` as in `submitted`, or 0 if it was not handed in. */
  readonly over: (
    round: RoundId,
    settings: RunSettings,
    end: RoundEnd,
  ) => void;
  /** A source failed, or onions could not be made. */
  readonly fault: (error: unknown) => void;
}

/** A round that nothing was handed in for. */
const NOTHING = { real: 0, missing: 0, place: undefined };

/** Onions that were handed in. */
interface Submitted {
  readonly filled: FilledRound;
  readonly forget: () => void;
}

/**
 * The rounds of one kind on one connection, from the plan to the answer. When a round's onions go is
 * drawn first. A while before that the source is asked, and if it has not answered when the making of
 * onions must begin, cover goes in its place: nothing on the wire waits for a source.
 */
export class KindRounds {
  readonly #options: KindRoundsOptions;
  readonly #submitted = new Map<number, Submitted>();
  readonly #timers = new Set<() => void>();
  /** Those whose onions are being made, or are made and not handed in. */
  readonly #unsent = new Set<PlannedRound>();
  readonly #made = new Set<FilledRound>();
  #waiting:
    | { readonly planned: PlannedRound; readonly cancel: () => void }
    | undefined;
  #making: Promise<void> = Promise.resolve();
  #isAsking = false;
  #hasEnded = false;

  /** Nothing is planned before `take`. */
  constructor(options: KindRoundsOptions) {
    this.#options = options;
  }

  /** Start of the round that comes next, in milliseconds since 1970 on the coordinator's clock. */
  get next(): number | undefined {
    return this.#waiting?.planned.round.start;
  }

  /**
   * Takes settings that were verified.
   *
   * @throws {MixError} as `RoundPlanner.take`.
   */
  take(settings: RunSettings): void {
    const { planner, time, filler } = this.#options;
    planner.take(settings, time.now());
    for (const planned of [...this.#unsent]) {
      // Whoever was asked for a round is not asked again.
      if (filler !== undefined || planner.holds(planned)) continue;
      this.#unsent.delete(planned);
      planner.giveBack(planned.round);
    }
    // What was drawn stands, or a round that has begun meanwhile would be missed.
    if (this.#waiting && planner.holds(this.#waiting.planned)) return;
    this.#giveBackWaiting();
    this.#plan();
  }

  /** The entry says that a round is over. What nobody waits for is nothing to us. */
  done({ start }: RoundId, replies: Bytes): void {
    const filled = this.#answered(start);
    if (filled === undefined) return;
    const { made, planned } = filled;
    if (replies.length !== made.reply * planned.settings.slots) {
      return this.#lose(filled, "failed");
    }
    const { checksCovers, caution, over, fault } = this.#options;
    caution.inTime();
    filled.answered(replies, checksCovers).then(
      (missing) =>
        over(planned.round, planned.settings, {
          ...NOTHING,
          outcome: "done",
          real: filled.real,
          missing,
        }),
      fault,
    );
  }

  /** The entry says that onions came too late. Whether there were any. */
  late({ start }: RoundId, by: number): boolean {
    const filled = this.#answered(start);
    if (filled === undefined) return false;
    // Nothing was late if there is no such round.
    if (by > 0) this.#options.caution.late(by);
    this.#lose(filled, "late");
    return true;
  }

  /** The entry says that a round came to nothing. */
  failed({ start }: RoundId, place: number): void {
    const filled = this.#answered(start);
    if (filled !== undefined) this.#lose(filled, "failed", { place });
  }

  /** The connection is gone: nothing is planned any more, and what is under way is lost. */
  end(): void {
    this.#hasEnded = true;
    this.#giveBackWaiting();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const filled of [...this.#made]) {
      this.#lose(filled, "late", { real: 0 });
    }
    for (const start of [...this.#submitted.keys()]) {
      this.#lose(this.#answered(start)!, "unknown");
    }
  }

  #giveBackWaiting(): void {
    if (this.#waiting === undefined) return;
    const { planned, cancel } = this.#waiting;
    cancel();
    this.#waiting = undefined;
    this.#options.planner.giveBack(planned.round);
  }

  #plan(): void {
    const { planner, kind, time, caution, filler, making, over } =
      this.#options;
    if (this.#hasEnded) return;
    const spare = time.reading.roundTrip + caution.earlier;
    const { missed, next } = planner.plan(kind, time.now(), spare);
    for (const { round, settings } of missed) {
      over(round, settings, { ...NOTHING, outcome: "late" });
    }
    if (next === undefined) return;
    const lead = filler === undefined
      ? Math.max(making.allowance, this.#options.makeAhead)
      : making.allowance + ASKING;
    const cancel = time.at(next.sendAt - lead, () => this.#begin(next));
    this.#waiting = { planned: next, cancel };
  }

  #begin(planned: PlannedRound): void {
    this.#waiting = undefined;
    this.#unsent.add(planned);
    this.#options.begun();
    this.#making = this.#making.then(() => this.#make(planned));
    this.#plan();
  }

  /** Never rejects. */
  async #make(planned: PlannedRound): Promise<void> {
    const { time, making, turn, random, over, fault } = this.#options;
    if (this.#hasEnded || !this.#unsent.has(planned)) return;
    const onions = this.#options.onions.of(planned.settings);
    const slots = onions.carriers(planned.index).length;
    const contents = await this.#contents(planned, slots);
    try {
      const from = time.now();
      const filled = await turn(() =>
        FilledRound.fill(planned, onions, contents, random)
      );
      making.took(Math.max(0, time.now() - from));
      this.#made.add(filled);
      if (this.#hasEnded) return this.#lose(filled, "late", { real: 0 });
      this.#at(planned.sendAt, () => this.#submit(filled));
    } catch (error) {
      for (const content of contents) content.lost("failed");
      this.#unsent.delete(planned);
      fault(error);
      over(planned.round, planned.settings, { ...NOTHING, outcome: "failed" });
    }
  }

  /** What a source has for a round, if it says so in time. Never rejects. */
  async #contents(
    planned: PlannedRound,
    slots: number,
  ): Promise<readonly Content[]> {
    const { filler, making, fault } = this.#options;
    if (filler === undefined || slots === 0 || this.#isAsking) return [];
    this.#isAsking = true;
    const { promise, resolve } = Promise.withResolvers<readonly Content[]>();
    let isDecided = false;
    const decide = (contents: readonly Content[]) => {
      if (isDecided) { for (const each of contents) each.lost("late"); }
      else resolve(contents);
      isDecided = true;
    };
    const cutOff = () => decide([]);
    const cancel = this.#at(planned.sendAt - making.allowance, cutOff);
    filler(planned, slots).then(decide, (error) => {
      fault(error);
      cutOff();
    }).finally(() => this.#isAsking = false);
    const contents = await promise;
    cancel();
    return contents;
  }

  #submit(filled: FilledRound): void {
    const { planner, time, submit, submitted } = this.#options;
    const { planned, made, real } = filled;
    // What must go now must still come in time, and half of the way lies before it.
    const lastMoment = planned.closesAt - time.reading.roundTrip / 2;
    if (!this.#unsent.has(planned)) {
      this.#made.delete(filled);
      return;
    }
    const isUseless = time.now() > lastMoment || !planner.holds(planned);
    if (isUseless) return this.#lose(filled, "late", { real: 0 });
    this.#made.delete(filled);
    this.#unsent.delete(planned);
    submit(planned.round, made.onions);
    submitted(planned.round, real);
    const forget = this.#at(planned.forgetAt, () => {
      const filled = this.#answered(planned.round.start);
      if (filled !== undefined) this.#lose(filled, "unknown");
    });
    this.#submitted.set(planned.round.start, { filled, forget });
  }

  #answered(start: number): FilledRound | undefined {
    const submitted = this.#submitted.get(start);
    submitted?.forget();
    this.#submitted.delete(start);
    return submitted?.filled;
  }

  #lose(
    filled: FilledRound,
    why: Loss,
    more: Partial<RoundEnd> = {},
  ): void {
    const { round, index, settings } = filled.planned;
    this.#made.delete(filled);
    this.#unsent.delete(filled.planned);
    if (settings.mode === RunMode.CIRCUITS && index === 0) {
      this.#options.onions.of(settings).drop();
    }
    filled.lost(why);
    this.#options.over(round, settings, {
      ...NOTHING,
      outcome: why,
      real: filled.real,
      ...more,
    });
  }

  /** Calls `call` then, unless the connection has ended; what forgets it. */
  #at(moment: number, call: () => void): () => void {
    const forget = this.#options.time.at(moment, () => {
      this.#timers.delete(forget);
      call();
    });
    this.#timers.add(forget);
    return () => {
      this.#timers.delete(forget);
      forget();
    };
  }
}
