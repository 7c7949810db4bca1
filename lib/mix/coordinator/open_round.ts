import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import type { RoundId } from "../round.ts";
import { RoundKind } from "../round.ts";
import type { ChainOutcome, ChainRound } from "./chain_round.ts";
import { ChainFault } from "./chain_round.ts";
import type { MixTimers } from "../mix_timers.ts";

/** Somebody who takes part in rounds. */
export interface Participant {
  /** Differs from that of everybody else; in its order all are answered. */
  readonly order: number;
  /** The round is over; `replies` to what was handed in, in that order, or `undefined` in a dialing round. */
  done(round: RoundId, replies: Bytes | undefined): void;
  /** The round came to nothing, because of the mix at that place. */
  failed(round: RoundId, place: number): void;
}

/** How a round ended. */
export type RoundEnd = ChainOutcome | ChainFault;

/** What a round of clients is made of. */
export interface OpenRoundParts {
  /** Which one. */
  readonly id: RoundId;
  /** Its way through the mixes. */
  readonly chain: ChainRound;
  /** All who may still hand in; some of them come and go while it is open. */
  readonly clients: ReadonlySet<Participant>;
  /** Bytes of replies for everybody: the same for all. */
  readonly replyBytes: number;
  /** When onions are taken no more, whoever is missing. */
  readonly closesAt: number;
  /** When it is given up. */
  readonly failsAt: number;
  /** The time. */
  readonly timers: MixTimers;
  /**
   * Takes what the chain gave, before anybody is told.
   *
   * @throws if it cannot be that: the fault of the last mix.
   */
  readonly accept: (outcome: ChainOutcome) => void;
  /** Called once when it is over, after everybody was answered. */
  readonly over: (end: RoundEnd) => void;
}

/**
 * A round, from the first onions that are handed in for it to the answers. It knows who handed in what
 * by its place in the batch, and nothing else of it.
 *
 * It closes with its window, or before, when there is nobody left to wait for: nobody who has joined is
 * left out by that. It does not close before its start, until when whoever joins may count on it.
 */
export class OpenRound {
  #isClosed = false;
  #isOver = false;
  #fault: ChainFault | undefined;
  readonly #parts: OpenRoundParts;
  /** In the order in which they handed in: whose replies are where. */
  readonly #participants = new Map<Participant, number>();
  #cancel: () => void;

  /** Takes onions from now on. */
  constructor(parts: OpenRoundParts) {
    const { timers, closesAt } = parts;
    this.#parts = parts;
    this.#cancel = timers.after(
      Math.max(0, closesAt - timers.now()),
      () => this.#close(),
    );
  }

  /** Which one it is. */
  get id(): RoundId {
    return this.#parts.id;
  }

  /** When onions are taken no more, whoever is missing, in milliseconds since 1970. */
  get closesAt(): number {
    return this.#parts.closesAt;
  }

  /** Whether everybody was answered. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why it came to nothing, if it has. */
  get fault(): ChainFault | undefined {
    return this.#fault;
  }

  /** Onions that were handed in. */
  get onions(): number {
    return this.#parts.chain.count;
  }

  /**
   * Takes somebody's onions; `false` if it is closed.
   *
   * @throws {MalformedError} if there are some already.
   */
  submit(participant: Participant, onions: Bytes): boolean {
    if (this.#participants.has(participant)) {
      throw new MalformedError("Cannot take onions: some came before");
    }
    if (this.#isClosed) return false;
    const { chain, timers, clients } = this.#parts;
    this.#participants.set(participant, this.#participants.size);
    chain.add(onions);
    const hasBegun = timers.now() >= this.id.start;
    if (hasBegun && clients.isSubsetOf(this.#participants)) this.#close();
    return true;
  }

  /** Gives the round up, wherever it is: it is erased at every mix, and everybody is told. */
  fail(fault: ChainFault): void {
    if (this.#isOver) return;
    this.#fault = fault;
    this.#cancel();
    this.#parts.chain.abort();
    this.#finish(fault, (participant) => {
      participant.failed(this.id, fault.place);
    });
  }

  #close(): void {
    this.#isClosed = true;
    this.#cancel();
    void this.#run();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { chain, timers, failsAt } = this.#parts;
    this.#cancel = timers.after(
      Math.max(0, failsAt - timers.now()),
      () => this.fail(tooLate(chain.place)),
    );
    try {
      this.#succeed(await chain.run());
    } catch (error) {
      this.fail(error instanceof ChainFault ? error : new ChainFault(0, error));
    }
  }

  #succeed(outcome: ChainOutcome): void {
    if (this.#isOver) return;
    const { replyBytes, accept, chain } = this.#parts;
    try {
      accept(outcome);
    } catch (error) {
      return this.fail(new ChainFault(chain.place, error));
    }
    this.#cancel();
    const isTwoWay = this.id.kind === RoundKind.EXCHANGE;
    this.#finish(outcome, (participant, index) => {
      const at = index * replyBytes;
      const replies = outcome.result.subarray(at, at + replyBytes);
      participant.done(this.id, isTwoWay ? replies : undefined);
    });
  }

  /** All are answered in one go, in an order that has nothing to do with what they sent and when. */
  #finish(
    end: RoundEnd,
    answer: (participant: Participant, index: number) => void,
  ): void {
    this.#isOver = true;
    const all = [...this.#participants].sort(([a], [b]) => a.order - b.order);
    for (const [participant, index] of all) answer(participant, index);
    this.#parts.over(end);
  }
}

function tooLate(place: number): ChainFault {
  const late = new MixError(
    "ERR_MIX_LATE",
    "Cannot finish a round: it took too long",
  );
  return new ChainFault(place, late);
}
