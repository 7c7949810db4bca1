import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { collectTokens, encodeFilters } from "../dialing/buckets.ts";
import { exchangeAtDrops } from "../drop/dead_drops.ts";
import type { RoundKeys, RoundLayers, RunLayers } from "../layer/mod.ts";
import { MixError } from "../mix_error.ts";
import { RoundKind } from "../round.ts";
import { Permutation } from "../shuffle/permutation.ts";

/** What a round at one mix is made of. */
export interface MixRoundParts {
  /** What its onions are opened with. */
  readonly keys: RoundKeys;
  /** How many buckets a dialing round has. */
  readonly buckets: number;
  /** The noise that is added, onions for the next mix; `undefined` at the last mix. */
  readonly noise: Promise<Bytes> | undefined;
  /** Most onions that are taken. */
  readonly limit: number;
  /** Draws the order. */
  readonly random: RandomSource;
}

/** What a mix that is not the last remembers until the replies come. */
interface Passed {
  /** The order in which it has passed on what it was given. */
  readonly order: Permutation;
  /** How many of them were not noise. */
  readonly count: number;
}

/**
 * One round at one mix: `add` any number of times, `close` once, then `answer` once if the round is
 * two-way and the mix is not the last. When the last of it is done, everything is erased.
 */
export class MixRound {
  readonly #parts: MixRoundParts;
  #layers: RoundLayers | undefined;
  #noise: Promise<Bytes> | undefined;
  #passed: Passed | undefined;
  #step: "adding" | "closing" | "closed" | "answering" | "over" = "adding";

  /** Begins a round of the run whose layers these are. */
  constructor(run: RunLayers, parts: MixRoundParts) {
    this.#parts = parts;
    this.#noise = parts.noise;
    // If it fails, `close` does.
    this.#noise?.catch(() => {});
    this.#layers = run.begin(parts.keys);
  }

  /** Whether there is nothing left of it. */
  get isOver(): boolean {
    return this.#step === "over";
  }

  /** Bytes of the replies that `answer` takes, if it is due. */
  get awaited(): number | undefined {
    if (this.#step !== "closed") return undefined;
    return this.#passed!.order.length * this.#parts.keys.sizes.innerReply;
  }

  /**
   * Takes whole onions; opens them in the background.
   *
   * @throws {MixError} if the round is closed, or there are too many.
   * @throws {MalformedError} if they are not whole.
   */
  add(onions: Bytes): void {
    this.#expect("adding");
    const { limit, keys: { sizes } } = this.#parts;
    if (this.#layers!.added + onions.length / sizes.onion > limit) {
      throw new MixError("ERR_MIX_REFUSED", "Cannot add onions: too many");
    }
    this.#layers!.add(onions);
  }

  /**
   * No more onions come: what is next, as `MixPeer.close` says.
   *
   * @throws {MixError} if it is closed, or erased meanwhile.
   */
  async close(): Promise<Bytes> {
    this.#expect("adding");
    this.#step = "closing";
    const { inner, count } = await this.#layers!.opened();
    this.#expect("closing");
    if (this.#noise === undefined) return await this.#finish(inner);
    const noise = await this.#noise;
    this.#expect("closing");
    const batch = this.#shuffle(inner, noise, count);
    if (this.#parts.keys.round.kind === RoundKind.DIALING) await this.erase();
    else this.#step = "closed";
    return batch;
  }

  /**
   * The replies of the next mix, unshuffled, without those to noise, and sealed.
   *
   * @throws {MixError} if they are not due, or it is erased meanwhile.
   * @throws {RangeError} if they are more or fewer than are due.
   */
  async answer(replies: Bytes): Promise<Bytes> {
    this.#expect("closed");
    this.#step = "answering";
    const { order, count } = this.#passed!;
    const { innerReply } = this.#parts.keys.sizes;
    // It throws if they are more or fewer than were passed on.
    const sorted = order.undo(replies, innerReply);
    const sealed = await this.#layers!.seal(
      sorted.subarray(0, count * innerReply),
    );
    this.#expect("answering");
    await this.erase();
    return sealed;
  }

  /**
   * Forgets everything at once; what is under way fails. Resolves when nothing is any more, and never
   * rejects.
   */
  erase(): Promise<void> {
    this.#step = "over";
    const erasing = this.#layers?.erase() ?? Promise.resolve();
    this.#layers = undefined;
    this.#noise = undefined;
    this.#passed?.order.erase();
    this.#passed = undefined;
    return erasing;
  }

  #shuffle(inner: Bytes, noise: Bytes, count: number): Bytes {
    const { keys: { sizes: { inner: size } }, random } = this.#parts;
    const batch = new Uint8Array(inner.length + noise.length);
    batch.set(inner);
    batch.set(noise, inner.length);
    const order = Permutation.random(batch.length / size, random);
    const shuffled = order.apply(batch, size);
    // Which of them came in, and in which order, is nobody's business from now on.
    for (const bytes of [inner, noise, batch]) bytes.fill(0);
    this.#passed = { order, count };
    return shuffled;
  }

  /** At the last mix: what the round was for. */
  async #finish(inner: Bytes): Promise<Bytes> {
    const { keys: { round, setsUp }, buckets, random } = this.#parts;
    if (round.kind === RoundKind.DIALING) {
      const filters = encodeFilters(collectTokens(inner, buckets));
      this.erase();
      return filters;
    }
    const replies = setsUp ? inner : exchangeAtDrops(inner, random).replies;
    const sealed = await this.#layers!.seal(replies);
    replies.fill(0);
    this.#expect("closing");
    await this.erase();
    return sealed;
  }

  #expect(step: "adding" | "closing" | "closed" | "answering"): void {
    if (this.#step === step) return;
    throw new MixError(
      "ERR_MIX_ROUND",
      `Cannot go on with a round: it is ${this.#step}`,
    );
  }
}
