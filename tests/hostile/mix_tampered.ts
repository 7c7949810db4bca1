import type { MixOffer, MixPeer } from "../../lib/mix/mix_peer.ts";
import { RoundKind, RunMode } from "../../lib/mix/round.ts";
import type { RoundId, Run } from "../../lib/mix/round.ts";
import { sizesOf } from "../../lib/mix/sizes.ts";
import { concat } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";

/** Onions or replies of a round. */
export type Batch = readonly Bytes[];

/** What somebody does, in one exchange round, to what goes into a mix and to what comes back from it. */
export interface Tampering {
  /** Onions that are given to the mix in place of these. */
  forth?(onions: Batch, round: RoundId): Batch | Promise<Batch>;
  /** Replies that are given on in place of these: one for each onion that came to `forth`. */
  back?(replies: Batch): Batch | Promise<Batch>;
  /** Told how many onions the mix was given and has given on, if it is not the last. */
  mixed?(given: number, taken: number): void;
}

interface Passing {
  readonly tampering: Tampering;
  /** Onions that the mix was given. */
  readonly given: number;
}

/**
 * A mix in the hands of somebody who stands before it and behind it: a coordinator, or its own owner.
 * Runs of `RunMode.ROUNDS` only.
 */
export class TamperedMix implements MixPeer {
  readonly #mix: MixPeer;
  readonly #behind: number;
  readonly #tampering: () => Tampering;
  readonly #waiting = new Map<number, Bytes[]>();
  readonly #passing = new Map<number, Passing>();

  /**
   * @param behind how many mixes follow in the chain.
   * @param tampering what is done in the next round; asked once for each.
   */
  constructor(mix: MixPeer, behind: number, tampering: () => Tampering) {
    this.#mix = mix;
    this.#behind = behind;
    this.#tampering = tampering;
  }

  get identity(): MixPeer["identity"] {
    return this.#mix.identity;
  }

  prepare(run: Run): Promise<MixOffer> {
    return this.#mix.prepare(run);
  }

  sign(settings: Bytes): Promise<Bytes> {
    return this.#mix.sign(settings);
  }

  add(round: RoundId, onions: Bytes): Promise<void> {
    if (round.kind !== RoundKind.EXCHANGE) return this.#mix.add(round, onions);
    const waiting = this.#waiting.get(round.start) ?? [];
    this.#waiting.set(round.start, waiting);
    waiting.push(onions.slice());
    return Promise.resolve();
  }

  async close(round: RoundId): Promise<Bytes> {
    if (round.kind !== RoundKind.EXCHANGE) return await this.#mix.close(round);
    const { onion, inner } = this.#sizes;
    const waiting = concat(...this.#waiting.get(round.start) ?? []);
    this.#waiting.delete(round.start);
    const tampering = this.#tampering();
    const onions = pieces(waiting, onion);
    const changed = await tampering.forth?.(onions, round) ?? onions;
    const given = changed.length;
    this.#passing.set(round.start, { tampering, given });
    await this.#mix.add(round, concat(...changed));
    const batch = await this.#mix.close(round);
    if (this.#behind === 0) return await this.#back(round, batch);
    tampering.mixed?.(given, batch.length / inner);
    return batch;
  }

  async answer(round: RoundId, replies: Bytes): Promise<Bytes> {
    return await this.#back(round, await this.#mix.answer(round, replies));
  }

  abort(round: RoundId): void {
    if (round.kind === RoundKind.EXCHANGE) {
      this.#waiting.delete(round.start);
      this.#passing.delete(round.start);
    }
    this.#mix.abort(round);
  }

  get #sizes() {
    return sizesOf(RoundKind.EXCHANGE, RunMode.ROUNDS, 0, this.#behind);
  }

  async #back({ start }: RoundId, batch: Bytes): Promise<Bytes> {
    const passing = this.#passing.get(start);
    this.#passing.delete(start);
    if (passing?.tampering.back === undefined) return batch;
    const replies = pieces(batch, this.#sizes.reply);
    return concat(...await passing.tampering.back(replies));
  }
}

function pieces(bytes: Bytes, size: number): Bytes[] {
  return Array.from(
    { length: bytes.length / size },
    (_, i) => bytes.slice(i * size, (i + 1) * size),
  );
}
