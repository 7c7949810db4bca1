import { MixClient } from "../../mix/client/mix_client.ts";
import type {
  MixClientEvent,
  RoundCounts,
} from "../../mix/client/mix_client_event.ts";
import type { MixClientOptions } from "../../mix/client/mix_client_options.ts";
import type { RoundClock } from "../../mix/client/round_clock.ts";
import { SYSTEM_ROUND_CLOCK } from "../../mix/client/round_clock.ts";
import { NO_ROUNDS, oneMore } from "../../mix/client/round_tally.ts";
import { RoundKind } from "../../mix/round.ts";
import { Turns } from "./turns.ts";

/** What a crowd is made of. */
export interface CrowdOptions
  extends Pick<MixClientOptions, "connect" | "identityOf" | "policy"> {
  /** How many clients. */
  readonly size: number;
  /** From one client's connecting to the next one's, in milliseconds; 10 unless given. */
  readonly apart?: number;
  /**
   * As for `MixClient`; a second unless given. With more than a run lasts, all onions of a run are made as
   * soon as it is announced: before it begins, if that is early enough.
   */
  readonly makeAhead?: number;
  /** The time; that of the machine unless given. */
  readonly clock?: RoundClock;
  /** Told of everything, and of whom, from 0. */
  readonly onEvent?: (event: MixClientEvent, client: number) => void;
}

/** How a crowd gets on. */
export interface CrowdStatus {
  /** How many clients there are. */
  readonly size: number;
  /** How many of them the entry has taken in. */
  readonly joined: number;
  /** How often a connection was lost, or could not be made. */
  readonly gone: number;
  /** How often settings were refused. */
  readonly refused: number;
  /** Exchange rounds of all clients together. */
  readonly exchange: RoundCounts;
  /** Dialing rounds of all clients together. */
  readonly dialing: RoundCounts;
}

/** Clients that make onions at a time: enough for the threads that do it, and others get a word in. */
const TURNS = 8;
/** Exchange rounds that are told apart. */
const ROUNDS_KEPT = 64;

/**
 * Simulated clients that have nothing to say: each is a client as people's are, on a connection of its
 * own, and sends cover in every round. Only what comes back to cover is not looked at.
 */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #clock: RoundClock;
  readonly #clients: MixClient[];
  readonly #rounds = new Map<number, RoundCounts>();
  #exchange = NO_ROUNDS;
  #dialing = NO_ROUNDS;
  #gone = 0;
  #refused = 0;
  #next = 0;
  #cancel: () => void = () => {};

  /** Nothing happens before `start`. */
  constructor(options: CrowdOptions) {
    const { size, clock = SYSTEM_ROUND_CLOCK, makeAhead = 1_000 } = options;
    const { connect, identityOf, policy } = options;
    const turns = new Turns(TURNS);
    this.#options = options;
    this.#clock = clock;
    this.#clients = Array.from({ length: size }, (_, client) =>
      new MixClient({
        connect,
        identityOf,
        policy,
        clock,
        makeAhead,
        turn: (work) => turns.take(work),
        checksCovers: false,
        onEvent: (event) => this.#heard(event, client),
      }));
  }

  /** Lets them connect, one after the other. */
  start(): void {
    this.#clients[this.#next++]?.start();
    if (this.#next >= this.#clients.length) return;
    this.#cancel = this.#clock.after(
      this.#options.apart ?? 10,
      () => this.start(),
    );
  }

  /** How they get on. */
  get status(): CrowdStatus {
    return {
      size: this.#clients.length,
      joined: this.#clients.filter(({ status }) => status.joined).length,
      gone: this.#gone,
      refused: this.#refused,
      exchange: this.#exchange,
      dialing: this.#dialing,
    };
  }

  /**
   * The latest exchange rounds by their starts (milliseconds since 1970 on the coordinator's clock): a
   * round of which fewer are done than there are clients has missing ones.
   */
  get rounds(): ReadonlyMap<number, RoundCounts> {
    return this.#rounds;
  }

  /** They all leave. */
  async close(): Promise<void> {
    this.#cancel();
    this.#next = this.#clients.length;
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  #heard(event: MixClientEvent, client: number): void {
    this.#options.onEvent?.(event, client);
    if (event.type === "gone") this.#gone++;
    else if (event.type === "refused") this.#refused++;
    else if (event.type === "round") {
      const { round: { kind, start }, outcome } = event;
      if (kind === RoundKind.DIALING) {
        this.#dialing = oneMore(this.#dialing, outcome);
      } else {
        const before = this.#rounds.get(start) ?? NO_ROUNDS;
        this.#exchange = oneMore(this.#exchange, outcome);
        this.#rounds.set(start, oneMore(before, outcome));
        if (this.#rounds.size > ROUNDS_KEPT) this.#forgetOldest();
      }
    }
  }

  #forgetOldest(): void {
    this.#rounds.delete(Math.min(...this.#rounds.keys()));
  }
}
