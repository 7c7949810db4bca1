import { MalformedError, randomBytes } from "../../protocol/mod.ts";
import type { Bytes, DhKeyPair, LayerCipher } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import type { RoundId } from "../round.ts";
import type { RoundSizes } from "../sizes.ts";
import { Direction, layerCipher } from "./direction.ts";
import { GrowingBatch } from "./growing_batch.ts";
import { Lanes } from "./lanes.ts";
import type { MixCircuits } from "./mix_circuits.ts";
import { AgreeingPeeler, CircuitPeeler, layerBytes } from "./peeler.ts";
import type { Peeler } from "./peeler.ts";

/** A round at one mix, as far as its layers are concerned. */
export interface RoundLayersOptions {
  /** Which round. */
  readonly round: RoundId;
  /** Which of its run's rounds it is, if the run is one of circuits; 0 in every round otherwise. */
  readonly index: number;
  /** The lengths at that place of the chain. */
  readonly sizes: RoundSizes;
  /** The mix's onion key of the round, or of the run whose first round this is. */
  readonly keyPair?: DhKeyPair | undefined;
  /**
   * The run's circuits. Together with `keyPair` they are set up by this round; without, they are what
   * it is keyed by.
   */
  readonly circuits?: MixCircuits | undefined;
}

/** What was found under the layers. */
export interface OpenedOnions {
  /** `count` of them, one behind the other, in the order in which the onions were added. */
  readonly inner: Bytes;
  /** How many. */
  readonly count: number;
}

/**
 * The layers of one round at one mix: `add` any number of times, `opened` once, then `seal` once, if the
 * round is two-way. Onions are opened while more of them come. Whatever does not open, or begins with what
 * another one of the round began with (a replay), is dropped: it is not among what was opened, and its
 * reply is random.
 */
export class RoundLayers {
  readonly #sizes: RoundSizes;
  readonly #peeler: Peeler;
  readonly #back: LayerCipher;
  readonly #onions: GrowingBatch;
  readonly #heads = new Set<string>();
  /** Places among the added onions of those that are to be opened; after `opened`, that were. */
  #places: number[] = [];
  /** Keys of the replies by the onion's place; there is none of what was dropped. */
  readonly #keys: (CryptoKey | undefined)[] = [];
  readonly #opening = new Lanes((piece) => this.#open(this.#places[piece]!));
  #sealing: Lanes | undefined;
  #state: "adding" | "opening" | "opened" | "sealing" | "erased" = "adding";

  /** @throws {RangeError} if there is neither a key pair nor circuits, or the sizes are not those of one layer. */
  constructor({ round, index, sizes, keyPair, circuits }: RoundLayersOptions) {
    this.#sizes = sizes;
    this.#peeler = peelerOf(round, index, keyPair, circuits);
    this.#back = layerCipher(Direction.BACK, index);
    this.#onions = new GrowingBatch(sizes.onion);
    if (sizes.onion !== sizes.inner + layerBytes(this.#peeler)) {
      throw new RangeError(
        `Cannot open a round's onions: ${sizes.inner} bytes in ${sizes.onion}`,
      );
    }
  }

  /** How many onions were added. */
  get added(): number {
    return this.#onions.count;
  }

  /**
   * Takes onions, one behind the other, and opens them in the background. They are copied.
   *
   * @throws {MalformedError} if the last one is not whole.
   * @throws {MixError} if the round is closed already.
   */
  add(onions: Bytes): void {
    this.#insist("adding", "add onions");
    const first = this.#onions.count;
    this.#onions.add(onions);
    for (let place = first; place < this.#onions.count; place++) {
      this.#keys.push(undefined);
      const onion = this.#onions.at(place);
      const head = onion.subarray(0, this.#peeler.headBytes).toHex();
      if (this.#heads.has(head)) continue;
      this.#heads.add(head);
      this.#places.push(place);
    }
    this.#opening.extend(this.#places.length);
  }

  /**
   * No more onions come. Resolves when all are open.
   *
   * @throws {MixError} if that was said before, or the round is erased meanwhile.
   */
  async opened(): Promise<OpenedOnions> {
    this.#insist("adding", "open onions");
    this.#state = "opening";
    await this.#opening.idle();
    this.#insist("opening", "open onions");
    this.#state = "opened";
    this.#places = this.#places.filter((place) =>
      this.#keys[place] !== undefined
    );
    const { inner: size } = this.#sizes;
    const count = this.#places.length;
    const inner = new Uint8Array(count * size);
    for (const [i, place] of this.#places.entries()) {
      inner.set(this.#onions.at(place).subarray(0, size), i * size);
    }
    this.#onions.erase();
    this.#heads.clear();
    return { inner, count };
  }

  /**
   * Seals replies and gives one for each onion that was added, in that order.
   *
   * @param replies one behind the other, one for each that was opened, in that order.
   * @throws {MalformedError} if they are more or fewer.
   * @throws {MixError} if nothing is open yet, it was done before, or the round is erased meanwhile.
   */
  async seal(replies: Bytes): Promise<Bytes> {
    this.#insist("opened", "seal replies");
    const { reply: size, innerReply } = this.#sizes;
    const places = this.#places;
    if (replies.length !== places.length * innerReply) {
      throw new MalformedError(
        `Cannot seal replies: ${replies.length} bytes for ${places.length} onions`,
      );
    }
    this.#state = "sealing";
    const sealed = new Uint8Array(this.added * size);
    for (let place = 0; place < this.added; place++) {
      if (this.#keys[place] !== undefined) continue;
      sealed.set(randomBytes(size), place * size);
    }
    this.#sealing = new Lanes(async (piece) => {
      const place = places[piece]!;
      const reply = await this.#back.seal(
        this.#keys[place]!,
        replies.subarray(piece * innerReply, (piece + 1) * innerReply),
      );
      sealed.set(new Uint8Array(reply), place * size);
    });
    this.#sealing.extend(places.length);
    await this.#sealing.idle();
    this.#insist("sealing", "seal replies");
    await this.erase();
    return sealed;
  }

  /**
   * Forgets keys and onions at once. Resolves when no call to WebCrypto is under way any more; never rejects.
   */
  async erase(): Promise<void> {
    this.#state = "erased";
    this.#opening.stop();
    this.#sealing?.stop();
    this.#keys.length = 0;
    this.#places = [];
    this.#heads.clear();
    this.#onions.erase();
    await Promise.allSettled([this.#opening.idle(), this.#sealing?.idle()]);
  }

  async #open(place: number): Promise<void> {
    let peeled;
    try {
      peeled = await this.#peeler.peel(this.#onions.at(place));
    } catch {
      // Whoever wrote it did not have the round's key, or somebody altered it: it is dropped.
      return;
    }
    if (peeled === undefined || this.#state === "erased") return;
    this.#onions.at(place).set(new Uint8Array(peeled.inner));
    this.#keys[place] = peeled.key;
  }

  #insist(state: string, action: string): void {
    if (this.#state === state) return;
    throw new MixError(
      "ERR_MIX_ROUND",
      `Cannot ${action}: the round is ${this.#state}`,
    );
  }
}

function peelerOf(
  round: RoundId,
  index: number,
  keyPair: DhKeyPair | undefined,
  circuits: MixCircuits | undefined,
): Peeler {
  if (keyPair !== undefined) {
    return new AgreeingPeeler(keyPair, round, circuits);
  }
  if (circuits !== undefined) return new CircuitPeeler(circuits, index);
  throw new RangeError("Cannot open a round's onions: there are no keys");
}
