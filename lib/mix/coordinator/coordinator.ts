import type { NodeCertificate } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { parseFilters } from "../dialing/buckets.ts";
import type { MixPeer } from "../mix_peer.ts";
import { lifeOf } from "../node/mix_limits.ts";
import { RoundKind, RunMode } from "../round.ts";
import { FilterShelf } from "./filter_shelf.ts";
import type { ShelvedRound } from "./filter_shelf.ts";
import type { Participant } from "./open_round.ts";
import { RoundKeeper } from "./round_keeper.ts";
import type { RoundStatus } from "./round_tally.ts";
import type { RoundPlan } from "./schedule.ts";
import { checkPlan, DIALING_PLAN, EXCHANGE_PLAN } from "./schedule.ts";
import type { MixTimers } from "../mix_timers.ts";
import { SYSTEM_TIMERS } from "../mix_timers.ts";

/** How rounds are run. What is left out is as the constants next to it say. */
export interface CoordinatorOptions {
  /** The coordinator's own certificate: clients know it, and settings name it. */
  readonly identity: NodeCertificate;
  /**
   * The mixes of the next run, first to last: asked anew for every run. The first is in this process. It
   * rejects, or gives mixes that reject, when some cannot be reached: it does not leave them out.
   */
  readonly chain: () => Promise<readonly MixPeer[]>;
  /** How many of them are enough. All, unless it is said: a chain that is shorter protects less. */
  readonly least?: number;
  /** Two-way rounds; `EXCHANGE_PLAN` for what is left out. */
  readonly exchange?: Partial<RoundPlan>;
  /** Rounds in which people are called; `DIALING_PLAN` for what is left out. */
  readonly dialing?: Partial<RoundPlan>;
  /** How the layers are keyed; `RunMode.ROUNDS`. */
  readonly mode?: RunMode;
  /** How long before its first round a run is announced, in milliseconds; 8,000. */
  readonly ahead?: number;
  /** The same where no run goes before, such as when the first client joins; 2,000. */
  readonly lead?: number;
  /** How long after its window a round is given up, in milliseconds; 3 periods, and at least 6,000. */
  readonly deadline?: number;
  /** What a mix may take for an answer while a run is made, in milliseconds; 3,000. */
  readonly patience?: number;
  /** How long the filters of dialing rounds are kept, in milliseconds; a day. */
  readonly retention?: number;
  /** How many bytes of filters are kept at most; 256 MiB. */
  readonly filterBytes?: number;
  /** Told of rounds and runs that came to nothing, and why; nothing that a client can cause. */
  readonly failed?: (error: unknown) => void;
  /** The time; the computer's. */
  readonly timers?: MixTimers;
  /** Numbers from 0 to below 1, for the waits between attempts; `Math.random`. */
  readonly random?: () => number;
}

/** Whom a coordinator serves. */
export interface Audience {
  /** All who have joined. */
  readonly clients: ReadonlySet<Participant>;
  /** There are settings of a run to come. */
  announce(document: Bytes): void;
}

/** What operators are told. */
export interface CoordinatorStatus {
  /** Two-way rounds. */
  readonly exchange: RoundStatus;
  /** Rounds in which people are called. */
  readonly dialing: RoundStatus;
  /** Rounds that are under way, of both kinds. */
  readonly inFlight: number;
  /** Dialing rounds whose filters are kept. */
  readonly filterRounds: number;
  /** Bytes of those filters. */
  readonly filterBytes: number;
}

const DAY = 86_400_000;

/** Keeps both kinds of rounds going, and the filters of those in which people are called. */
export class Coordinator {
  readonly #exchange: RoundKeeper;
  readonly #dialing: RoundKeeper;
  readonly #shelf: FilterShelf;

  /**
   * Makes nothing before the first client joins.
   *
   * @throws {RangeError} if rounds cannot follow each other as the options say.
   */
  constructor(options: CoordinatorOptions, audience: Audience) {
    const { retention = DAY, filterBytes = 268_435_456 } = options;
    this.#shelf = new FilterShelf(retention, filterBytes);
    this.#exchange = this.#keeper(
      RoundKind.EXCHANGE,
      { ...EXCHANGE_PLAN, ...options.exchange },
      options,
      audience,
    );
    this.#dialing = this.#keeper(
      RoundKind.DIALING,
      { ...DIALING_PLAN, ...options.dialing },
      options,
      audience,
    );
  }

  /** What operators are told. */
  get status(): CoordinatorStatus {
    return {
      exchange: this.#exchange.status,
      dialing: this.#dialing.status,
      inFlight: this.#exchange.inFlight + this.#dialing.inFlight,
      filterRounds: this.#shelf.rounds,
      filterBytes: this.#shelf.bytes,
    };
  }

  /** Settings of the runs that are not over. */
  get documents(): readonly Bytes[] {
    return [...this.#exchange.documents, ...this.#dialing.documents];
  }

  /** A client has joined. */
  joined(): void {
    this.#exchange.joined();
    this.#dialing.joined();
  }

  /**
   * As `RoundKeeper.submit`; rounds of a kind that nobody has heard of do not exist.
   *
   * @throws {MalformedError} if the onions are not as they must be.
   */
  submit(
    participant: Participant,
    kind: number,
    start: number,
    onions: Bytes,
  ): number | undefined {
    if (kind === RoundKind.EXCHANGE) {
      return this.#exchange.submit(participant, start, onions);
    }
    if (kind === RoundKind.DIALING) {
      return this.#dialing.submit(participant, start, onions);
    }
    return 0;
  }

  /** The filters of the first dialing round that started after `start`. */
  filtersAfter(start: number): ShelvedRound | undefined {
    return this.#shelf.next(start);
  }

  /** Gives up all that is under way. */
  async stop(): Promise<void> {
    await Promise.all([this.#exchange.stop(), this.#dialing.stop()]);
  }

  #keeper(
    kind: RoundKind,
    plan: RoundPlan,
    options: CoordinatorOptions,
    audience: Audience,
  ): RoundKeeper {
    const { mode = RunMode.ROUNDS, timers = SYSTEM_TIMERS } = options;
    checkPlan(kind, mode, plan);
    return new RoundKeeper({
      kind,
      mode,
      plan,
      coordinator: options.identity.fingerprint,
      chain: options.chain,
      least: options.least,
      ahead: options.ahead ?? 8_000,
      lead: options.lead ?? 2_000,
      patience: options.patience ?? 3_000,
      deadline: options.deadline ?? lifeOf(plan.period),
      timers,
      random: options.random ?? Math.random,
      clients: audience.clients,
      announce: (document) => audience.announce(document),
      filters: (start, encoded) => {
        const filters = parseFilters(encoded, plan.buckets)
          .map((filter) => filter.encode());
        this.#shelf.put({ start, filters }, timers.now());
      },
      failed: options.failed ?? (() => {}),
    });
  }
}
