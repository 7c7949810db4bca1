import { Backoff } from "../../net/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { indexIn } from "../round.ts";
import type { RoundKind, Run, RunMode } from "../round.ts";
import { RunMaker } from "./run_maker.ts";
import type { MadeRun, RunParts } from "./run_maker.ts";
import type { RoundPlan } from "./schedule.ts";
import { endOf, nextRun } from "./schedule.ts";

const WAITS = { first: 250, longest: 10_000 };
/** Runs that are announced and not over, at most: mixes keep their keys until then. */
const RUNS_LIMIT = 4;
/** Runs that were given up and are remembered, to say so to those who hand in for them. */
const VOIDED_LIMIT = 16;

/** What the runs of a kind are kept going with. */
export interface RunKeeperParts extends RunParts {
  /** Which kind. */
  readonly kind: RoundKind;
  /** How their layers are keyed. */
  readonly mode: RunMode;
  /** How their rounds follow each other. */
  readonly plan: RoundPlan;
  /** How long before the first round of a run its settings are announced, in milliseconds. */
  readonly ahead: number;
  /** The same where there is no run before it. */
  readonly lead: number;
  /** Numbers from 0 to below 1, for the waits between attempts. */
  readonly random: () => number;
  /** All who have joined. */
  readonly clients: { readonly size: number };
  /** There are settings of a run to come. */
  readonly announce: (document: Bytes) => void;
  /** Told of runs that could not be made. */
  readonly failed: (error: unknown) => void;
}

/** A run that was given up. */
export interface VoidRun {
  /** Which one. */
  readonly made: MadeRun;
  /** The place of its chain that failed. */
  readonly place: number;
}

/**
 * Keeps the runs of one kind going while there are clients: each is made ahead of time and begins where
 * the one before it ends; when a run is given up, another one takes its place as soon as can be.
 */
export class RunKeeper {
  readonly #parts: RunKeeperParts;
  readonly #maker: RunMaker;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #runs: MadeRun[] = [];
  #voided: VoidRun[] = [];
  /** Changes when runs are given up: what was being made then may lie behind a gap. */
  #epoch = 0;
  /** End of the last run; the next one must not begin before. */
  #horizon = 0;
  /** The last start that was used. */
  #lastStart = 0;
  #retryAt = 0;
  #wake: () => void = () => {};
  readonly #keeping: Promise<void>;

  /** Begins when there are clients and `joined` is called. */
  constructor(parts: RunKeeperParts) {
    this.#parts = parts;
    this.#maker = new RunMaker(parts, parts.plan);
    this.#backoff = new Backoff(WAITS, parts.random);
    this.#keeping = this.#keep();
  }

  /** Settings of the runs that are not over, in the order of their rounds. */
  get documents(): readonly Bytes[] {
    this.#forget();
    return this.#runs.map(({ document }) => document);
  }

  /** A client has joined. */
  joined(): void {
    this.#wake();
  }

  /**
   * The run in which a round starts then. Rounds that would have started before the run was made are none:
   * whoever handed in for them, by the settings of a run that was given up, was told that they failed.
   */
  find(start: number): MadeRun | undefined {
    return this.#runs.find(({ run, madeAt }) =>
      indexIn(run, start) !== undefined && start >= madeAt
    );
  }

  /** Runs that were given up, in which a round would start then. */
  voidedAt(start: number): readonly VoidRun[] {
    return this.#voided.filter(({ made: { run } }) =>
      indexIn(run, start) !== undefined
    );
  }

  /** Whether a run is good, or was when it ended. */
  holds(made: MadeRun): boolean {
    return !this.#voided.some((each) => each.made === made);
  }

  /** A round has begun: no other run may have one then. */
  used(start: number): void {
    this.#lastStart = Math.max(this.#lastStart, start);
  }

  /** Gives up a run and all behind it, because of the mix at that place: another one is made at once. */
  void(made: MadeRun, place: number): void {
    const behind = this.#runs.filter((each) => each !== made);
    this.#voided = [
      ...this.#voided,
      ...[made, ...behind].map((each) => ({ made: each, place })),
    ].slice(-VOIDED_LIMIT);
    this.#runs = [];
    this.#epoch++;
    this.#horizon = 0;
    this.#retryAt = 0;
    this.#wake();
  }

  /** Makes nothing more, and forgets all. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#runs = [];
    this.#wake();
    await this.#keeping;
  }

  async #keep(): Promise<void> {
    const { ahead, patience, timers, clients } = this.#parts;
    // What asking twice may take must be over when the settings are due.
    const due = ahead + 2 * patience;
    while (!this.#stop.signal.aborted) {
      const now = timers.now();
      const at = Math.max(this.#horizon - due, this.#retryAt, this.#room());
      if (clients.size === 0) await this.#nap(undefined);
      else if (at > now) await this.#nap(at - now);
      else await this.#make();
    }
  }

  /** When there is room for another run. */
  #room(): number {
    this.#forget();
    const [first] = this.#runs;
    return this.#runs.length < RUNS_LIMIT ? 0 : endOf(first!.run);
  }

  /** Waits until there may be something to do. */
  async #nap(milliseconds: number | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const cancel = milliseconds === undefined
      ? undefined
      : this.#parts.timers.after(milliseconds, resolve);
    await promise;
    cancel?.();
  }

  async #make(): Promise<void> {
    const { timers, announce, failed } = this.#parts;
    const epoch = this.#epoch;
    try {
      const made = await this.#maker.make(
        () => this.#next(),
        this.#stop.signal,
      );
      if (epoch !== this.#epoch || this.#stop.signal.aborted) return;
      this.#backoff.reset();
      this.#runs.push(made);
      this.#horizon = endOf(made.run);
      announce(made.document);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#retryAt = timers.now() + this.#backoff.next();
      failed(error);
    }
  }

  #next(): Run {
    const { kind, mode, plan, lead, timers } = this.#parts;
    const behind = Math.max(this.#horizon, this.#lastStart + plan.period);
    return nextRun(kind, mode, plan, timers.now(), behind, lead);
  }

  /** Runs that are over. Their last rounds go on by themselves. */
  #forget(): void {
    const now = this.#parts.timers.now();
    this.#runs = this.#runs.filter(({ run }) => endOf(run) > now);
    this.#voided = this.#voided.filter(({ made }) => endOf(made.run) > now);
  }
}
