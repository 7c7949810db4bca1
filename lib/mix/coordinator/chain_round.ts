import type { Bytes } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import type { MixPeer } from "../mix_peer.ts";
import type { RoundId } from "../round.ts";
import { RoundKind } from "../round.ts";
import type { RoundSizes } from "../sizes.ts";
import type { MixTimers } from "../mix_timers.ts";

/** Onions are given to a mix in amounts of so many bytes at most. */
const CHUNK = 65_536;

/** What a round is made of. */
export interface ChainRoundParts {
  /** Which one. */
  readonly id: RoundId;
  /** The chain, first to last. */
  readonly mixes: readonly MixPeer[];
  /** The lengths at every place. */
  readonly sizes: readonly RoundSizes[];
  /** The time. */
  readonly timers: MixTimers;
}

/** What comes of a round that went well. */
export interface ChainOutcome {
  /** Replies to all onions in the order in which they were added; of a dialing round, its encoded filters. */
  readonly result: Bytes;
  /** Milliseconds that every mix took. */
  readonly durations: readonly number[];
}

/** A round that came to nothing, and at which place of the chain. */
export class ChainFault extends Error {
  /** Name of the class. */
  override readonly name = "ChainFault";
  /** 0 for the first mix. */
  readonly place: number;

  /** @param cause what the mix said, or that it said nothing. */
  constructor(place: number, cause: unknown) {
    super("Cannot finish a round: a mix failed", { cause });
    this.place = place;
  }
}

/**
 * Takes a round through its chain: what is added goes to the first mix at once, which works on it while
 * more comes in; after `run` it goes forth to the last and back. What a mix gives is checked for its
 * length only: what is in it, only those can tell who made it.
 */
export class ChainRound {
  readonly #parts: ChainRoundParts;
  /** Onions that every mix was given. */
  readonly #counts: number[];
  readonly #durations: number[];
  readonly #adding: Promise<void>[] = [];
  #place = 0;
  #aborted = false;

  /** A round to which nothing was added yet. */
  constructor(parts: ChainRoundParts) {
    this.#parts = parts;
    this.#counts = parts.mixes.map(() => 0);
    this.#durations = parts.mixes.map(() => 0);
  }

  /** Onions that were added. */
  get count(): number {
    return this.#counts[0]!;
  }

  /** The mix that is waited for. */
  get place(): number {
    return this.#place;
  }

  /** Takes whole onions of the first place's length; those of different calls keep their order. */
  add(onions: Bytes): void {
    const adding = this.#parts.mixes[0]!.add(this.#parts.id, onions);
    adding.catch(() => {/* `run` fails by it */});
    this.#adding.push(adding);
    this.#counts[0]! += onions.length / this.#parts.sizes[0]!.onion;
  }

  /**
   * No more is added: the way through the chain.
   *
   * @throws {ChainFault} if a mix fails, or gives what cannot be, or the round is aborted.
   */
  async run(): Promise<ChainOutcome> {
    const { mixes, id } = this.#parts;
    let batch = await this.#at(0, async (mix) => {
      await Promise.all(this.#adding);
      return await mix.close(id);
    });
    for (let place = 1; place < mixes.length; place++) {
      const forth = batch;
      this.#checkForth(place, forth);
      batch = await this.#at(place, (mix) => this.#hand(mix, place, forth));
    }
    if (id.kind === RoundKind.EXCHANGE) batch = await this.#back(batch);
    return { result: batch, durations: this.#durations };
  }

  /** Has every mix erase what it holds of the round. What is under way fails. */
  abort(): void {
    this.#aborted = true;
    for (const mix of this.#parts.mixes) mix.abort(this.#parts.id);
  }

  async #hand(mix: MixPeer, place: number, batch: Bytes): Promise<Bytes> {
    const { id, sizes } = this.#parts;
    const size = sizes[place]!.onion;
    const step = Math.max(1, Math.floor(CHUNK / size)) * size;
    for (let at = 0; at < batch.length; at += step) {
      await mix.add(id, batch.subarray(at, at + step));
      this.#goOn(place);
    }
    return await mix.close(id);
  }

  async #back(replies: Bytes): Promise<Bytes> {
    const last = this.#parts.mixes.length - 1;
    let batch = replies;
    this.#checkBack(last, batch);
    for (let place = last - 1; place >= 0; place--) {
      const back = batch;
      batch = await this.#at(
        place,
        (mix) => mix.answer(this.#parts.id, back),
      );
      this.#checkBack(place, batch);
    }
    return batch;
  }

  /** What the mix before gives must be whole onions for the one at `place`. */
  #checkForth(place: number, batch: Bytes): void {
    const count = batch.length / this.#parts.sizes[place]!.onion;
    if (!Number.isInteger(count)) throw oddLength(place - 1);
    this.#counts[place] = count;
  }

  /** A reply to everything that the mix was given, not one more or less. */
  #checkBack(place: number, replies: Bytes): void {
    const expected = this.#counts[place]! * this.#parts.sizes[place]!.reply;
    if (replies.length !== expected) throw oddLength(place);
  }

  async #at(
    place: number,
    work: (mix: MixPeer) => Promise<Bytes>,
  ): Promise<Bytes> {
    this.#goOn(place);
    const { timers, mixes } = this.#parts;
    const began = timers.now();
    try {
      const batch = await work(mixes[place]!);
      this.#goOn(place);
      this.#durations[place]! += timers.now() - began;
      return batch;
    } catch (cause) {
      if (cause instanceof ChainFault) throw cause;
      throw new ChainFault(place, cause);
    }
  }

  #goOn(place: number): void {
    this.#place = place;
    if (!this.#aborted) return;
    throw new ChainFault(
      place,
      new MixError("ERR_MIX_ROUND", "Cannot go on with a round: it is over"),
    );
  }
}

function oddLength(place: number): ChainFault {
  return new ChainFault(
    place,
    new MixError(
      "ERR_MIX_REFUSED",
      "Cannot go on with a round: a mix gave more or less than was due",
    ),
  );
}
