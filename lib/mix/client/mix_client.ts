import { randomBelow, randomBytes } from "../../protocol/mod.ts";
import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { Backoff } from "../../net/mod.ts";
import { RoundKind } from "../round.ts";
import { Attendance } from "./attendance.ts";
import type { AttendanceReport } from "./attendance.ts";
import { FilterListening } from "./filter_listening.ts";
import { HeardRounds } from "./heard_rounds.ts";
import type { MixClientEvent, MixClientStatus } from "./mix_client_event.ts";
import type { MixClientOptions } from "./mix_client_options.ts";
import { ONION_LAYERS } from "./onion_layers.ts";
import { RoundPlanner } from "./round_planner.ts";
import { RoundTally, viewOf } from "./round_tally.ts";
import { SYSTEM_ROUND_CLOCK } from "./round_clock.ts";
import type { RoundClock } from "./round_clock.ts";
import { OnionsOfRuns } from "./run_onions.ts";
import { dialFiller, exchangeFiller } from "./slot_contents.ts";

/** How long the entry keeps the filters of dialing rounds, in milliseconds. */
const RETENTION = 24 * 3_600_000;
/** Onions of pure cover are made this long before they are due, in milliseconds. */
const MAKE_AHEAD = 50;
const ID_BYTES = 32;

/**
 * Takes part in rounds for as long as it runs: in every one, exactly as many onions as everybody else, at a
 * time that was drawn before anything was put into them. It connects by itself, again and again, and
 * believes nothing of a coordinator that not every mix of the chain has signed.
 */
export class MixClient {
  readonly #options: MixClientOptions;
  readonly #clock: RoundClock;
  readonly #random: RandomSource;
  readonly #planner: RoundPlanner;
  readonly #onions: OnionsOfRuns;
  readonly #backoff: Backoff;
  readonly #tally = new RoundTally();
  #heard: HeardRounds | undefined;
  #attendance: Attendance | undefined;
  /** Decides the bucket that is fetched if nobody listens. */
  readonly #nobody: Bytes;
  #isJoined = false;
  #isClosed = false;
  #running: Promise<void> | undefined;
  #wake: () => void = () => {};

  /** Nothing happens before `start`. */
  constructor(options: MixClientOptions) {
    const { clock = SYSTEM_ROUND_CLOCK, random = randomBytes } = options;
    const { layersForTesting = ONION_LAYERS, reconnecting } = options;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#nobody = random(ID_BYTES);
    this.#planner = new RoundPlanner(random);
    this.#onions = new OnionsOfRuns(layersForTesting, random);
    this.#backoff = new Backoff(
      reconnecting,
      () => randomBelow(2 ** 32, random) / 2 ** 32,
    );
  }

  /** Connects, and goes on doing so until `close`. To be called once. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** How things stand. */
  get status(): MixClientStatus {
    const now = this.#attendance?.now;
    const next = this.#attendance?.next;
    return {
      ...this.#tally.status,
      joined: this.#isJoined,
      nextIn: now === undefined || next === undefined
        ? undefined
        : Math.round(next - now),
    };
  }

  /**
   * The filters of all dialing rounds that started until then were heard, in milliseconds since 1970 on
   * the coordinator's clock: `heardUpTo` of the next client of this person.
   */
  get heardUpTo(): number | undefined {
    return this.#heard?.upTo ?? this.#options.heardUpTo;
  }

  /** Leaves: what is under way is lost, and the connection closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake();
    await this.#attendance?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#attend();
      } catch (error) {
        if (this.#isClosed) return;
        const retryIn = this.#backoff.next();
        this.#tell({ type: "gone", error, retryIn });
        await this.#pause(retryIn);
      }
    }
  }

  async #attend(): Promise<void> {
    const { exchange, dial, policy, identityOf } = this.#options;
    const { makeAhead = MAKE_AHEAD, checksCovers = true } = this.#options;
    const { turn = (work) => work() } = this.#options;
    const fault = (error: unknown) => this.#tell({ type: "fault", error });
    const link = await this.#options.connect();
    if (this.#isClosed) return await link.close();
    const attendance = new Attendance(link, {
      clock: this.#clock,
      random: this.#random,
      identityOf,
      policy,
      planner: this.#planner,
      onions: this.#onions,
      fillers: {
        [RoundKind.EXCHANGE]: exchange && exchangeFiller(exchange, fault),
        [RoundKind.DIALING]: dial && dialFiller(dial, fault),
      },
      makeAhead,
      turn,
      checksCovers,
      report: this.#report((latest, buckets) => {
        listening ??= this.#listening(attendance);
        // What the entry gives is at fault, or the connection is gone already.
        listening.listen(latest, buckets).catch((error) =>
          attendance.abort(error)
        );
      }),
    });
    let listening: FilterListening | undefined;
    this.#attendance = attendance;
    try {
      await attendance.serve();
    } finally {
      this.#attendance = undefined;
      this.#isJoined = false;
    }
  }

  #listening(attendance: Attendance): FilterListening {
    const { dial, heardUpTo } = this.#options;
    const now = Math.floor(attendance.now ?? 0);
    this.#heard ??= new HeardRounds(
      heardUpTo ?? (dial === undefined ? now : Math.max(0, now - RETENTION)),
    );
    return new FilterListening({
      certificateId: dial?.certificateId ?? this.#nobody,
      source: dial,
      heard: this.#heard,
      now,
      fetch: (bucket, after) => attendance.fetch(bucket, after),
      fault: (error) => this.#tell({ type: "fault", error }),
    });
  }

  #report(
    listen: (latest: number, buckets: number) => void,
  ): AttendanceReport {
    let isCaughtUp = false;
    return {
      joined: () => {
        this.#isJoined = true;
        this.#tell({ type: "joined" });
      },
      clock: (clock) => {
        this.#tally.clock = clock;
        this.#tell({ type: "clock", clock });
      },
      adapted: (earlier) => this.#tell({ type: "adapted", earlier }),
      settings: (settings) => {
        const { kind, first, buckets } = settings;
        const { chain, isNew } = this.#tally.settled(settings);
        if (isNew) this.#tell({ type: "chain", chain });
        if (kind !== RoundKind.DIALING || isCaughtUp) return;
        // Only now is it known in which bucket the calls of the time before are.
        isCaughtUp = true;
        listen(first, buckets);
      },
      refused: (error) => this.#tell({ type: "refused", error }),
      submitted: (round, real) => this.#tally.submitted(round, real),
      over: (round, settings, end) => {
        if (end.outcome === "done") this.#backoff.reset();
        this.#tally.over(round, end);
        const chain = viewOf(settings);
        this.#tell({ type: "round", round, chain, ...end });
        if (round.kind === RoundKind.DIALING) {
          listen(round.start, settings.buckets);
        }
      },
      fault: (error) => this.#tell({ type: "fault", error }),
    };
  }

  #tell(event: MixClientEvent): void {
    this.#options.onEvent?.(event);
  }

  async #pause(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(milliseconds, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
