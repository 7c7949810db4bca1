import { MalformedError, randomBytes } from "../../protocol/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import { gather, scatter } from "../pieces.ts";
import type { Circuits } from "./circuits.ts";
import type { EngineOpened, EngineRound, RoundKeys } from "./layer_engine.ts";
import { CIRCUIT_ID_BYTES } from "./onion_key.ts";
import { headBytes, layerBytes } from "./peeler.ts";

/** So many onions in a row are for the same engine. */
const ROW = 16;
/** So many onions are given to an engine at a time, as long as more may come: to speak to it costs something. */
const ONIONS = 64;
/** So many replies at most are given to an engine at a time: it begins while others are still sorted. */
const REPLIES = 256;

/** What was found under the layers. */
export interface OpenedOnions {
  /** `count` of them, one behind the other, in the order in which the onions were added. */
  readonly inner: Bytes;
  /** How many. */
  readonly count: number;
}

/** Onions that an engine is given together. */
interface Share {
  readonly onions: Bytes;
  /** Their places among all that were added, ascending. */
  readonly places: number[];
}

/** Those that it was given. */
interface GivenShare {
  readonly engine: number;
  readonly places: readonly number[];
  readonly opened: Promise<EngineOpened>;
}

/** An onion that did open. */
interface Found {
  readonly place: number;
  readonly engine: number;
  /** What was under its layer. */
  readonly bytes: Bytes;
}

/**
 * The layers of one round at one mix: `add` any number of times, `opened` once, then `seal` once, if the
 * round is two-way. Onions are opened while more of them come. Whatever does not open, or begins with what
 * another one of the round began with (a replay), is dropped: it is not among what was opened, and its
 * reply is random.
 */
export class RoundLayers {
  readonly #keys: RoundKeys;
  readonly #engines: readonly EngineRound[];
  readonly #circuits: Circuits<number>;
  readonly #heads = new Set<string>();
  /** By engine: what it is given next. */
  readonly #filling: (Share | undefined)[] = [];
  readonly #given: GivenShare[] = [];
  #added = 0;
  /** Places of the onions that did open, ascending. */
  #places: number[] = [];
  /** By engine: which of `#places` are of onions that it has opened, ascending. */
  #ofEngine: number[][] = [];
  #state: "adding" | "opening" | "opened" | "sealing" | "erased" = "adding";

  /**
   * @param engines the round at those that share the work, at least one.
   * @param circuits those of the run: at which engine each of them is.
   * @throws {RangeError} if the sizes are not those of one layer.
   */
  constructor(
    keys: RoundKeys,
    engines: readonly EngineRound[],
    circuits: Circuits<number>,
  ) {
    this.#keys = keys;
    this.#engines = engines;
    this.#circuits = circuits;
    const { sizes: { onion, inner }, keyPair } = keys;
    if (onion !== inner + layerBytes(keyPair)) {
      throw new RangeError(
        `Cannot open a round's onions: ${inner} bytes in ${onion}`,
      );
    }
  }

  /** How many onions were added. */
  get added(): number {
    return this.#added;
  }

  /**
   * Takes onions, one behind the other, and has them opened in the background. They are copied.
   *
   * @throws {MalformedError} if the last one is not whole.
   * @throws {MixError} if the round is closed already.
   */
  add(onions: Bytes): void {
    this.#insist("adding", "add onions");
    const { sizes: { onion: size } } = this.#keys;
    const count = onions.length / size;
    if (!Number.isInteger(count)) {
      throw new MalformedError(
        `Cannot take a batch of ${onions.length} bytes: its pieces have ${size}`,
      );
    }
    for (let i = 0; i < count; i++) {
      const onion = onions.subarray(i * size, (i + 1) * size);
      const place = this.#added++;
      const engine = this.#engineOf(onion, place);
      if (engine === undefined) continue;
      const share = this.#filling[engine] ??= {
        onions: new Uint8Array(ONIONS * size),
        places: [],
      };
      share.onions.set(onion, share.places.length * size);
      share.places.push(place);
      if (share.places.length === ONIONS) this.#give(engine, share);
    }
  }

  /**
   * No more onions come. Resolves when all are open.
   *
   * @throws {MixError} if that was said before, the round is erased meanwhile, or an engine has broken down.
   */
  async opened(): Promise<OpenedOnions> {
    this.#insist("adding", "open onions");
    this.#state = "opening";
    for (const [engine, share] of this.#filling.entries()) {
      if (share !== undefined) this.#give(engine, share);
    }
    const all = await Promise.all(this.#given.map(({ opened }) => opened));
    this.#insist("opening", "open onions");
    this.#state = "opened";
    this.#heads.clear();
    const found = this.#find(this.#given.splice(0), all);
    this.#ofEngine = this.#engines.map(() => []);
    const { sizes: { inner: size } } = this.#keys;
    const inner = new Uint8Array(found.length * size);
    found.forEach(({ place, engine, bytes }, rank) => {
      inner.set(bytes, rank * size);
      this.#places.push(place);
      this.#ofEngine[engine]!.push(rank);
    });
    for (const each of all) each.inner.fill(0);
    return { inner, count: found.length };
  }

  /**
   * Seals replies and gives one for each onion that was added, in that order.
   *
   * @param replies one behind the other, one for each that was opened, in that order.
   * @throws {MalformedError} if they are more or fewer.
   * @throws {MixError} if nothing is open yet, it was done before, the round is erased meanwhile, or an
   *   engine has broken down.
   */
  async seal(replies: Bytes): Promise<Bytes> {
    this.#insist("opened", "seal replies");
    const { sizes: { reply: size, innerReply } } = this.#keys;
    const places = this.#places;
    if (replies.length !== places.length * innerReply) {
      throw new MalformedError(
        `Cannot seal replies: ${replies.length} bytes for ${places.length} onions`,
      );
    }
    this.#state = "sealing";
    const sealed = new Uint8Array(this.#added * size);
    const open = new Set(places);
    for (let place = 0; place < this.#added; place++) {
      if (!open.has(place)) sealed.set(randomBytes(size), place * size);
    }
    const sealing: Promise<void>[] = [];
    for (const [engine, ranks] of this.#ofEngine.entries()) {
      for (let first = 0; first < ranks.length; first += REPLIES) {
        const part = ranks.slice(first, first + REPLIES);
        const given = gather(replies, part, innerReply);
        sealing.push(
          this.#engines[engine]!.seal(first, part.length, given).then(
            (done) => {
              scatter(done, sealed, part.map((rank) => places[rank]!), size);
            },
          ),
        );
      }
    }
    await Promise.all(sealing);
    this.#insist("sealing", "seal replies");
    await this.erase();
    return sealed;
  }

  /**
   * Forgets keys and onions at once. Resolves when no call to WebCrypto is under way any more; never rejects.
   */
  async erase(): Promise<void> {
    this.#state = "erased";
    this.#places = [];
    this.#ofEngine = [];
    this.#heads.clear();
    for (const share of this.#filling.splice(0)) share?.onions.fill(0);
    const given = this.#given.splice(0);
    await Promise.all(this.#engines.map((engine) => engine.erase()));
    for (const { opened } of given) {
      await opened.then(({ inner }) => inner.fill(0), () => {});
    }
  }

  /** Which engine an onion is for; `undefined` if it is dropped. */
  #engineOf(onion: Bytes, place: number): number | undefined {
    const { keyPair } = this.#keys;
    const head = onion.subarray(0, headBytes(keyPair)).toHex();
    if (this.#heads.has(head)) return undefined;
    this.#heads.add(head);
    if (keyPair === undefined) return this.#circuits.get(head);
    return Math.floor(place / ROW) % this.#engines.length;
  }

  #give(engine: number, { onions, places }: Share): void {
    this.#filling[engine] = undefined;
    const { sizes: { onion: size } } = this.#keys;
    const opened = this.#open(engine, onions.slice(0, places.length * size));
    opened.catch(() => {/* `opened` fails by it */});
    this.#given.push({ engine, places, opened });
  }

  async #open(engine: number, onions: Bytes): Promise<EngineOpened> {
    const opened = await this.#engines[engine]!.open(onions);
    const { isOpen, circuitIds } = opened;
    for (let at = 0; at < circuitIds.length; at += CIRCUIT_ID_BYTES) {
      if (isOpen[at / CIRCUIT_ID_BYTES] === 0) continue;
      const id = circuitIds.subarray(at, at + CIRCUIT_ID_BYTES);
      this.#circuits.set(id.toHex(), engine);
    }
    return opened;
  }

  /** What was under the layers of the onions that did open, in the order of their places. */
  #find(shares: readonly GivenShare[], all: readonly EngineOpened[]): Found[] {
    const { sizes: { inner: size } } = this.#keys;
    const byPlace: (Found | undefined)[] = new Array(this.#added);
    for (const [i, { engine, places }] of shares.entries()) {
      const { inner, isOpen } = all[i]!;
      for (const [at, place] of places.entries()) {
        if (isOpen[at] === 0) continue;
        const bytes = inner.subarray(at * size, (at + 1) * size);
        byPlace[place] = { place, engine, bytes };
      }
    }
    return byPlace.filter((found) => found !== undefined);
  }

  #insist(state: string, action: string): void {
    if (this.#state === state) return;
    throw new MixError(
      "ERR_MIX_ROUND",
      `Cannot ${action}: the round is ${this.#state}`,
    );
  }
}
