import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import { indexIn, RoundKind, RunMode } from "../round.ts";
import type { RoundId } from "../round.ts";
import { sizesOf } from "../sizes.ts";
import { ChainFault, ChainRound } from "./chain_round.ts";
import type { ChainOutcome } from "./chain_round.ts";
import { OpenRound } from "./open_round.ts";
import type { Participant, RoundEnd } from "./open_round.ts";
import { RoundTally } from "./round_tally.ts";
import type { RoundStatus } from "./round_tally.ts";
import { RunKeeper } from "./run_keeper.ts";
import type { RunKeeperParts } from "./run_keeper.ts";
import type { MadeRun } from "./run_maker.ts";
import { windowOf } from "./schedule.ts";

/** Onions that come so much before the start are taken: clocks agree only roughly. In milliseconds. */
const EARLY = 250;
/** After so many rounds in a row that came to nothing other keys are tried. */
const STRIKES = 3;

/** What the rounds of a kind are kept going with. */
export interface RoundKeeperParts extends RunKeeperParts {
  /** All who have joined. */
  readonly clients: ReadonlySet<Participant>;
  /** How long after the window a round is given up, in milliseconds. */
  readonly deadline: number;
  /**
   * Takes the filters that a dialing round has brought, before anybody is told that it is over.
   *
   * @throws {MalformedError} if they are none.
   */
  readonly filters: (start: number, encoded: Bytes) => void;
}

/**
 * The rounds of one kind: one is opened when the first onions for it come, and when a mix of its chain
 * is gone it comes to nothing together with all others of its run.
 */
export class RoundKeeper {
  readonly #parts: RoundKeeperParts;
  readonly #runs: RunKeeper;
  readonly #window: number;
  readonly #tally = new RoundTally();
  /** By their starts; those that are over early are kept until their window is. */
  readonly #rounds = new Map<number, OpenRound>();
  #strikes = 0;
  #isStopped = false;

  /** Begins when there are clients and `joined` is called. */
  constructor(parts: RoundKeeperParts) {
    this.#parts = parts;
    this.#runs = new RunKeeper(parts);
    this.#window = windowOf(parts.plan);
  }

  /** What has become of the rounds so far. */
  get status(): RoundStatus {
    return this.#tally.status;
  }

  /** Rounds that are not over. */
  get inFlight(): number {
    return [...this.#rounds.values()].filter(({ isOver }) => !isOver).length;
  }

  /** Settings of the runs that are not over, in the order of their rounds. */
  get documents(): readonly Bytes[] {
    return this.#runs.documents;
  }

  /** A client has joined. */
  joined(): void {
    this.#runs.joined();
  }

  /**
   * Takes the onions of a participant for the round that starts then.
   *
   * @returns `undefined` if they are taken, or the participant was told that the round has failed;
   * otherwise how many milliseconds ago its window ended, 0 if there is no such round, or it is not open
   * yet, or was closed before this participant joined.
   * @throws {MalformedError} if they are not as many as all hand in, or a second time for that round.
   */
  submit(
    participant: Participant,
    start: number,
    onions: Bytes,
  ): number | undefined {
    const { kind, timers } = this.#parts;
    const after = timers.now() - start;
    const isOpen = after >= -EARLY && after < this.#window;
    const place = this.#faultAt(start);
    const made = this.#runs.find(start);
    if (isOpen && place !== undefined) {
      participant.failed({ kind, start }, place);
      return undefined;
    }
    if (made === undefined || !isOpen) {
      this.#tally.late();
      return made === undefined ? 0 : Math.max(0, after - this.#window);
    }
    if (onions.length !== this.#lengthIn(made, start)) {
      participant.failed({ kind, start }, this.#olderFault(start, onions));
      return undefined;
    }
    const round = this.#rounds.get(start) ?? this.#open(made, start);
    if (round.submit(participant, onions)) return undefined;
    this.#tally.late();
    return 0;
  }

  /** Gives up all that is under way, and makes nothing more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const stopped = this.#runs.stop();
    this.#failAll(() => true, 0, "the coordinator stops");
    await stopped;
  }

  /** Where the chain failed, if the round has come to nothing already, or cannot come to anything. */
  #faultAt(start: number): number | undefined {
    const fault = this.#rounds.get(start)?.fault;
    if (fault !== undefined) return fault.place;
    return this.#runs.find(start) === undefined
      ? this.#runs.voidedAt(start)[0]?.place
      : undefined;
  }

  /** Bytes of what everybody hands in for the round of a run that starts then. */
  #lengthIn({ run, mixes }: MadeRun, start: number): number {
    const { kind, mode, plan } = this.#parts;
    const index = indexIn(run, start)!;
    return plan.slots * sizesOf(kind, mode, index, mixes.length - 1).onion;
  }

  /**
   * Where the chain failed of the run that the onions are meant for: settings that replace others, and
   * onions that are made by the others, can meet on the way.
   *
   * @throws {MalformedError} if they fit to no run that there was.
   */
  #olderFault(start: number, onions: Bytes): number {
    const older = this.#runs.voidedAt(start).find(({ made }) =>
      this.#lengthIn(made, start) === onions.length
    );
    if (older !== undefined) return older.place;
    throw new MalformedError(
      `Cannot take onions: ${onions.length} bytes, not what all hand in`,
    );
  }

  #open(made: MadeRun, start: number): OpenRound {
    const { kind, mode, plan, deadline, timers, clients } = this.#parts;
    const { run, mixes } = made;
    const id: RoundId = { kind, start };
    const index = indexIn(run, start)!;
    const sizes = mixes.map((_, place) =>
      sizesOf(kind, mode, index, mixes.length - 1 - place)
    );
    const closesAt = start + this.#window;
    const round: OpenRound = new OpenRound({
      id,
      chain: new ChainRound({ id, mixes, sizes, timers }),
      clients,
      replyBytes: plan.slots * sizes[0]!.reply,
      closesAt,
      failsAt: closesAt + deadline,
      timers,
      accept: (outcome) => this.#accept(start, index, outcome),
      over: (end) => this.#over(round, made, end),
    });
    this.#prune();
    this.#rounds.set(start, round);
    this.#runs.used(start);
    return round;
  }

  /** Rounds that were over before their window was, and it is now. */
  #prune(): void {
    const now = this.#parts.timers.now();
    for (const [start, { isOver, closesAt }] of this.#rounds) {
      if (isOver && closesAt <= now) this.#rounds.delete(start);
    }
  }

  #accept(start: number, index: number, { result }: ChainOutcome): void {
    const { kind, mode, filters } = this.#parts;
    const setsUp = mode === RunMode.CIRCUITS && index === 0;
    if (kind === RoundKind.DIALING && !setsUp) filters(start, result);
  }

  #over(round: OpenRound, made: MadeRun, end: RoundEnd): void {
    this.#tally.over(round.id.start, round.onions, end);
    this.#prune();
    if (!(end instanceof ChainFault)) {
      this.#strikes = 0;
      return;
    }
    // The others of a run that is given up have nothing new to tell.
    if (this.#isStopped || !this.#runs.holds(made)) return;
    this.#parts.failed(end.cause);
    if (isGone(end.cause) || ++this.#strikes >= STRIKES) {
      this.#void(made, end.place);
    }
  }

  #void(made: MadeRun, place: number): void {
    this.#strikes = 0;
    this.#tally.voided();
    this.#runs.void(made, place);
    const { first } = made.run;
    this.#failAll((start) => start >= first, place, "a mix is gone");
  }

  #failAll(
    isMeant: (start: number) => boolean,
    place: number,
    why: string,
  ): void {
    const cause = new MixError("ERR_MIX_GONE", `Cannot go on: ${why}`);
    for (const round of [...this.#rounds.values()]) {
      if (isMeant(round.id.start)) round.fail(new ChainFault(place, cause));
    }
  }
}

/** Whether no other round of the run can come to anything. */
function isGone(cause: unknown): boolean {
  return cause instanceof MixError &&
    (cause.code === "ERR_MIX_GONE" || cause.code === "ERR_MIX_ROUND");
}
