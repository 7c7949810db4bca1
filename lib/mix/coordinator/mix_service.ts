import type { Incoming } from "../../net/mod.ts";
import { TokenBuckets } from "../../net/mod.ts";
import type { Bytes, CommandTable, Message } from "../../protocol/mod.ts";
import { CommandWriter, HELO, OLEH } from "../../protocol/mod.ts";
import {
  BUCKET,
  CLOCK,
  FETCH_FILTER,
  FETCHED_FILTER,
  FILTER,
  JOIN,
  JOINED,
  LATE_BY,
  ONIONS,
  PROBE,
  PROBED,
  ROUND_KIND,
  ROUND_LATE,
  ROUND_START,
  ROUNDS,
  SUBMIT_ONIONS,
} from "../commands.ts";
import { Coordinator } from "./coordinator.ts";
import type { CoordinatorOptions, CoordinatorStatus } from "./coordinator.ts";
import { Seat } from "./seat.ts";
import type { ClientLink } from "./seat.ts";
import { SYSTEM_TIMERS } from "../mix_timers.ts";
import type { MixTimers } from "../mix_timers.ts";

/** Silence after which a client counts as gone, in milliseconds. One that takes part is never silent. */
const IDLE_DEADLINE = 150_000;
/** What a client may ask for between rounds. Faster, and it is answered at this pace. */
const QUESTIONS = { perSecond: 50, burst: 100 };

/** What rounds for clients are run with. */
export interface MixServiceOptions extends CoordinatorOptions {
  /** How many clients may have joined at once; 10,000. */
  readonly clients?: number;
}

/** Somebody who has connected without a login. */
export interface MixGuest {
  /** Where commands come from and go to. */
  readonly link: ClientLink & { budget: number };
  /** How long it is waited for. */
  readonly caller: Pick<Incoming, "deadline">;
}

/** What operators are told. */
export interface MixStatus extends CoordinatorStatus {
  /** How many clients have joined. */
  readonly clients: number;
}

/**
 * The entry to rounds: whoever connects may join and take part, and need not say who it is. What all
 * clients do is the same, so that what this service sees of one tells nothing about it.
 */
export class MixService {
  /** What is said there. */
  readonly table: CommandTable = ROUNDS;
  /** What a connection for rounds begins with. */
  readonly opens: ReadonlySet<string> = new Set([JOIN.name]);
  readonly #coordinator: Coordinator;
  readonly #timers: MixTimers;
  readonly #limit: number;
  readonly #seats = new Set<Seat>();
  #nextOrder = 0;
  #isStopped = false;

  /**
   * Nothing happens before the first client joins.
   *
   * @throws {RangeError} as `Coordinator`.
   */
  constructor(options: MixServiceOptions) {
    const { clients = 10_000, timers = SYSTEM_TIMERS } = options;
    this.#limit = clients;
    this.#timers = timers;
    this.#coordinator = new Coordinator(options, {
      clients: this.#seats,
      announce: (document) => {
        for (const seat of [...this.#seats]) seat.announce(document);
      },
    });
  }

  /** What operators are told. */
  get status(): MixStatus {
    return { ...this.#coordinator.status, clients: this.#seats.size };
  }

  /**
   * Serves a connection from its first command, JOIN, to its end. If there are too many already it
   * ends at once.
   *
   * @throws {ChannelError | MalformedError} if the other side broke a rule or was cut off.
   */
  async welcome({ link, caller }: MixGuest, first: Message): Promise<void> {
    if (first.verb !== JOIN) return;
    if (this.#isStopped || this.#seats.size >= this.#limit) return;
    link.budget = Infinity;
    caller.deadline(IDLE_DEADLINE);
    const seat = new Seat(this.#nextOrder++, link, this.#timers);
    this.#seats.add(seat);
    try {
      seat.post(this.#timed().verb(JOINED).done());
      for (const each of this.#coordinator.documents) seat.announce(each);
      this.#coordinator.joined();
      const questions = new TokenBuckets(QUESTIONS);
      while (await this.#serveNext(link, caller, seat, questions));
    } finally {
      seat.leave();
      this.#seats.delete(seat);
    }
  }

  /** Fails all rounds that are under way, and says CLOSE to every client. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#coordinator.stop();
    await Promise.all([...this.#seats].map((seat) => seat.close()));
  }

  /**
   * A call for each message, or a client that waits would hold on to its last onions.
   *
   * @returns whether there may be another.
   */
  async #serveNext(
    link: ClientLink,
    caller: Pick<Incoming, "deadline">,
    seat: Seat,
    questions: TokenBuckets,
  ): Promise<boolean> {
    const message = await link.next();
    if (message === null) return false;
    caller.deadline(IDLE_DEADLINE);
    if (message.verb === SUBMIT_ONIONS) {
      await this.#submit(seat, message);
      return true;
    }
    const answer = this.#answer(message);
    if (answer === undefined) return true;
    await this.#keepPace(questions);
    await seat.reply(answer());
    return true;
  }

  /** Answers to a client wait for each other, so that none has more than one under way. */
  #answer(message: Message): (() => Bytes) | undefined {
    switch (message.verb) {
      case HELO:
        return () => new CommandWriter().verb(OLEH).done();
      case PROBE:
        return () => this.#timed().verb(PROBED).done();
      case FETCH_FILTER:
        return () => this.#filter(message);
      default:
        // Like an unknown command.
        return undefined;
    }
  }

  async #submit(seat: Seat, message: Message): Promise<void> {
    const kind = message.need(ROUND_KIND);
    const start = message.need(ROUND_START);
    const onions = message.need(ONIONS);
    const lateBy = this.#coordinator.submit(
      seat,
      kind,
      Number(start),
      onions,
    );
    if (lateBy === undefined) return;
    await seat.reply(
      new CommandWriter().set(ROUND_KIND, kind).set(ROUND_START, start)
        .set(LATE_BY, Math.min(lateBy, 0xffff_ffff)).verb(ROUND_LATE).done(),
    );
  }

  #filter(message: Message): Bytes {
    const bucket = message.need(BUCKET);
    const found = this.#coordinator.filtersAfter(
      Number(message.need(ROUND_START)),
    );
    const filter = found?.filters[bucket];
    return new CommandWriter(64 + (filter?.length ?? 0))
      .set(ROUND_START, found && BigInt(found.start)).set(FILTER, filter)
      .verb(FETCHED_FILTER).done();
  }

  #timed(): CommandWriter {
    return new CommandWriter().set(CLOCK, BigInt(this.#timers.now()));
  }

  async #keepPace(questions: TokenBuckets): Promise<void> {
    for (;;) {
      const wait = questions.take("", this.#timers.now());
      if (wait === 0) return;
      await new Promise<void>((resolve) => {
        this.#timers.after(wait, resolve);
      });
    }
  }
}
