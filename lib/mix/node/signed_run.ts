import type { DhKeyPair, RandomSource } from "../../protocol/mod.ts";
import { RunLayers } from "../layer/mod.ts";
import type { LayerEngine } from "../layer/mod.ts";
import { MixError } from "../mix_error.ts";
import { indexIn, RoundKind, RunMode } from "../round.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import { sizesOf } from "../sizes.ts";
import { CLOCK_TOLERANCE, lifeOf } from "./mix_limits.ts";
import { MixRound } from "./mix_round.ts";
import { NoiseAhead } from "./noise_ahead.ts";

/** Lengths in bytes of what a mix gives in a round: each divides that of the whole batch. */
export interface RoundLengths {
  /** Of an onion for the next mix; at the last one, of a reply, or 1 where there is none. */
  readonly forth: number;
  /** Of a reply. */
  readonly back: number;
}

/** A run whose settings a mix has signed: its keys, its noise, and its rounds under way. */
export class SignedRun {
  /** What was signed. */
  readonly settings: RunSettings;
  readonly #place: number;
  readonly #random: RandomSource;
  /** By the round's index; of a run of circuits there is one for the first round. */
  readonly #keyPairs: (DhKeyPair | undefined)[];
  readonly #layers: RunLayers;
  readonly #noise: NoiseAhead | undefined;
  readonly #rounds = new Map<number, MixRound>();
  /** Rounds that are over, or never will be: no key is used for a second time. */
  readonly #spent = new Set<number>();
  /** Ends when what was under way in rounds that were given up is. */
  #erasing: Promise<unknown> = Promise.resolve();

  /**
   * @param place which mix of the chain this is.
   * @param engines what its onions are opened by.
   */
  constructor(
    settings: RunSettings,
    place: number,
    keyPairs: readonly DhKeyPair[],
    engines: readonly LayerEngine[],
    random: RandomSource,
  ) {
    this.settings = settings;
    this.#place = place;
    this.#random = random;
    this.#keyPairs = [...keyPairs];
    this.#layers = new RunLayers(engines);
    if (this.#behind > 0) {
      this.#noise = new NoiseAhead(settings, place, random);
    }
  }

  /** Rounds under way. */
  get rounds(): number {
    return this.#rounds.size;
  }

  /** Private keys that are kept: those of rounds to come and under way. */
  get keys(): number {
    return this.#keyPairs.filter((pair) => pair !== undefined).length;
  }

  /** Circuits that are kept. */
  get circuits(): number {
    return this.#layers.circuits;
  }

  /** Rounds for which noise is kept. */
  get noise(): number {
    return this.#noise?.held ?? 0;
  }

  /** Whether no round of it is to come or under way. */
  get isOver(): boolean {
    return this.#spent.size === this.settings.count;
  }

  /** When the next of its rounds is given up, on the mix's clock; `undefined` if none is left. */
  get due(): number | undefined {
    for (let index = 0; index < this.settings.count; index++) {
      if (!this.#spent.has(index)) return this.#deadlineOf(index);
    }
    return undefined;
  }

  /**
   * Lengths in bytes of each of what the round that starts then gives: forth for `close`, back for
   * `answer`. Filters have no length that is known, and count as 1 each byte.
   */
  lengthsAt(start: number): RoundLengths {
    const { kind, mode } = this.settings;
    const index = indexIn(this.settings, start) ?? 0;
    const { inner, reply } = sizesOf(kind, mode, index, this.#behind);
    const isOneWay = kind === RoundKind.DIALING;
    const last = isOneWay ? 1 : reply;
    return { forth: this.#behind > 0 ? inner : last, back: reply };
  }

  /** The round that starts then and is under way. */
  find(start: number): MixRound | undefined {
    const index = indexIn(this.settings, start);
    return index === undefined ? undefined : this.#rounds.get(index);
  }

  /** Whether the round that starts then can be begun. */
  awaits(start: number): boolean {
    const index = indexIn(this.settings, start);
    return index !== undefined && !this.#spent.has(index);
  }

  /**
   * Begins a round that `awaits` says can be.
   *
   * @param limit most onions that it takes.
   */
  begin(start: number, limit: number): MixRound {
    if (!this.awaits(start)) {
      throw new MixError("ERR_MIX_ROUND", "Cannot begin a round: it is over");
    }
    const { kind, mode, buckets } = this.settings;
    const index = indexIn(this.settings, start)!;
    const isByCircuits = mode === RunMode.CIRCUITS;
    const round = new MixRound(this.#layers, {
      keys: {
        round: { kind, start },
        index: isByCircuits ? index : 0,
        sizes: sizesOf(kind, mode, index, this.#behind),
        keyPair: this.#keyPairs[index],
        setsUp: isByCircuits && index === 0,
      },
      buckets,
      noise: this.#noise?.take(index),
      limit,
      random: this.#random,
    });
    this.#rounds.set(index, round);
    return round;
  }

  /** Erases a round, whether it is under way, over or to come. */
  end(start: number): void {
    const index = indexIn(this.settings, start);
    if (index === undefined) return;
    const erasing = this.#rounds.get(index)?.erase();
    this.#erasing = Promise.all([this.#erasing, erasing]);
    this.#rounds.delete(index);
    this.#spent.add(index);
    this.#keyPairs[index] = undefined;
    this.#noise?.drop(index);
  }

  /** Erases the rounds whose deadline has passed. */
  expire(now: number): void {
    const { first, period, count } = this.settings;
    for (let index = 0; index < count; index++) {
      if (this.#deadlineOf(index) > now) return;
      this.end(first + index * period);
    }
  }

  /** Erases the rounds that start at that time or later: other settings hold for them. */
  voidFrom(start: number): void {
    const { first, period, count } = this.settings;
    for (let index = 0; index < count; index++) {
      const at = first + index * period;
      if (at >= start) this.end(at);
    }
  }

  /** Erases the rounds that are under way; those to come can still be. */
  abandon(): void {
    const { first, period } = this.settings;
    for (const index of [...this.#rounds.keys()]) {
      this.end(first + index * period);
    }
  }

  /** Erases everything at once. Resolves when nothing is under way any more; never rejects. */
  async erase(): Promise<void> {
    const { first, period, count } = this.settings;
    for (let index = 0; index < count; index++) {
      this.end(first + index * period);
    }
    this.#layers.erase();
    await Promise.all([this.#erasing, this.#noise?.erase()]);
  }

  get #behind(): number {
    return this.settings.mixes.length - this.#place - 1;
  }

  #deadlineOf(index: number): number {
    const { first, period, window } = this.settings;
    return first + index * period + window + lifeOf(period) + CLOCK_TOLERANCE;
  }
}
