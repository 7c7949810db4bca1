import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { ClientCircuit, Lanes, wrapOnion } from "../layer/mod.ts";
import { MixError } from "../mix_error.ts";
import type { NoiseLevel } from "../noise/noise_level.ts";
import { dialNoise, exchangeNoise } from "../noise/noise_payloads.ts";
import { RoundKind, RunMode } from "../round.ts";
import type { RoundId } from "../round.ts";
import { keyOf } from "../settings/run_settings.ts";
import type { SettingsFields } from "../settings/settings_fields.ts";
import { sizesOf } from "../sizes.ts";
import { NOISE_AHEAD } from "./mix_limits.ts";

/** Onions of one run that are made at a time: the mix has rounds to work on, too. */
const WIDTH = 32;
/** Circuits for noise beyond the mean: too few less than once in 10^11 rounds, (2 + 28) / 4 * exp(-28). */
const SPARE_SCALES = 28;
const SPARE_CIRCUITS = 64;

/**
 * The noise of one mix in one run: as onions for the mixes behind it, made in the background a few
 * rounds ahead, so that no round has to wait for it.
 */
export class NoiseAhead {
  readonly #settings: SettingsFields;
  readonly #place: number;
  readonly #random: RandomSource;
  /** Noise that is made, or being made, by the round's index. */
  readonly #made = new Map<number, Promise<Bytes>>();
  /** Rounds whose noise is made, or was, or will not be. */
  readonly #begun = new Set<number>();
  #circuits: readonly ClientCircuit[] = [];
  /** Ends when what was begun last is done. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #lanes = new Lanes(WIDTH);
  #isErased = false;

  /** @param place which mix of the chain makes it; not the last one. */
  constructor(settings: SettingsFields, place: number, random: RandomSource) {
    this.#settings = settings;
    this.#place = place;
    this.#random = random;
    const ahead = Math.min(NOISE_AHEAD, settings.count);
    for (let index = 0; index < ahead; index++) this.#begin(index);
  }

  /** For how many rounds noise is held or being made. */
  get held(): number {
    return this.#made.size;
  }

  /**
   * The noise of a round, onions of the next mix's length one behind the other; once for each round.
   *
   * @throws {MixError} if it is dropped or erased.
   * @throws {CryptoError} if a key of a mix behind is of no use.
   */
  take(index: number): Promise<Bytes> {
    this.#begin(index);
    const made = this.#made.get(index);
    this.#made.delete(index);
    const end = Math.min(index + 1 + NOISE_AHEAD, this.#settings.count);
    for (let later = index + 1; later < end; later++) this.#begin(later);
    return made ?? Promise.reject(overdue());
  }

  /** The round is over: there will be no noise for it. */
  drop(index: number): void {
    this.#begun.add(index);
    this.#made.delete(index);
  }

  /** Forgets everything at once, and makes no more. Resolves when nothing is under way; never rejects. */
  async erase(): Promise<void> {
    this.#isErased = true;
    this.#circuits = [];
    this.#made.clear();
    await this.#turn;
  }

  /** Once for each round: a circuit that is used twice in one would give noise away. */
  #begin(index: number): void {
    if (this.#begun.has(index)) return;
    this.#begun.add(index);
    const making = this.#turn.then(() => this.#onions(index));
    this.#turn = making.catch(() => {/* whoever takes it is told */});
    this.#made.set(index, making);
  }

  async #onions(index: number): Promise<Bytes> {
    this.#insist();
    const { kind, mode, first, period, mixes } = this.#settings;
    const round = { kind, start: first + index * period };
    const behind = mixes.length - this.#place - 1;
    const { inner: size } = sizesOf(kind, mode, index, behind);
    const chain = mixes.slice(this.#place + 1).map((_, i) =>
      keyOf(this.#settings, this.#place + 1 + i, index)
    );
    if (mode === RunMode.CIRCUITS && index === 0) {
      return await this.#setUp(chain, round, size);
    }
    const payloads = this.#payloads();
    if (mode === RunMode.ROUNDS) {
      return await this.#all(payloads.length, size, async (i) => {
        const { onion } = await wrapOnion(payloads[i]!, chain, round);
        return onion;
      });
    }
    // Pairs stand at the end: they get the same circuits in every round, as those of people do.
    payloads.reverse();
    const count = Math.min(payloads.length, this.#circuits.length);
    return await this.#all(count, size, async (i) => {
      const { onion } = await this.#circuits[i]!.wrap(payloads[i]!, index);
      return onion;
    });
  }

  /** Circuits that the noise of the run's other rounds goes through; this is all the noise of the first. */
  async #setUp(
    chain: readonly Bytes[],
    round: RoundId,
    size: number,
  ): Promise<Bytes> {
    const circuits: ClientCircuit[] = [];
    const count = noiseLimit(this.#level, this.#settings);
    const onions = await this.#all(count, size, async (i) => {
      const { onion, circuit } = await ClientCircuit.setUp(chain, round);
      circuits[i] = circuit;
      return onion;
    });
    this.#circuits = circuits;
    return onions;
  }

  get #level(): NoiseLevel {
    return this.#settings.mixes[this.#place]!.noise;
  }

  #payloads(): Bytes[] {
    const { kind, buckets } = this.#settings;
    return kind === RoundKind.EXCHANGE
      ? exchangeNoise(this.#level, this.#random)
      : dialNoise(this.#level, buckets, this.#random);
  }

  async #all(
    count: number,
    size: number,
    wrap: (i: number) => Promise<Bytes>,
  ): Promise<Bytes> {
    const onions = new Uint8Array(count * size);
    await this.#lanes.each(count, async (i) => {
      this.#insist();
      onions.set(await wrap(i), i * size);
    });
    this.#insist();
    return onions;
  }

  #insist(): void {
    if (this.#isErased) throw overdue();
  }
}

function overdue(): MixError {
  return new MixError("ERR_MIX_ROUND", "Cannot make noise: the round is over");
}

/** How many circuits a mix sets up for noise of this level: as many as it draws onions at most. */
export function noiseLimit(
  { mean, scale }: NoiseLevel,
  { kind, buckets }: Pick<SettingsFields, "kind" | "buckets">,
): number {
  if (scale === 0) return 0;
  const most = kind === RoundKind.EXCHANGE
    ? 2 * mean + SPARE_SCALES * scale
    : (buckets + 1) * (mean + SPARE_SCALES * scale);
  return most + SPARE_CIRCUITS;
}
