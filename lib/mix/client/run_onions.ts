import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { equalConstantTime } from "../../protocol/mod.ts";
import type { WrappedOnion } from "../layer/wrapped_onion.ts";
import { RunMode } from "../round.ts";
import { keyOf } from "../settings/run_settings.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import { sizesOf } from "../sizes.ts";
import type { RoundSizes } from "../sizes.ts";
import type { OnionCircuit, OnionLayers } from "./onion_layers.ts";

/** The onions of a client for one round. */
export interface MadeOnions {
  /** All of them, one behind the other. */
  readonly onions: Bytes;
  /** Length of a reply in bytes; 0 if there are none. */
  readonly reply: number;
  /** What is under each reply, given all replies in order; nothing under one that does not open. */
  open(replies: Bytes): Promise<(Bytes | undefined)[]>;
}

/**
 * Makes the onions of one client for the rounds of a run, as many as the run has slots. In a run of circuits
 * the first round sets up a circuit for every slot. A slot whose circuit does not stand gets random bytes,
 * so that the number and the length of what is handed in never change.
 */
export class RunOnions {
  readonly #settings: RunSettings;
  readonly #layers: OnionLayers;
  readonly #random: RandomSource;
  #circuits: (OnionCircuit | undefined)[];

  /** `random` as `randomBytes`. */
  constructor(
    settings: RunSettings,
    layers: OnionLayers,
    random: RandomSource,
  ) {
    this.#settings = settings;
    this.#layers = layers;
    this.#random = random;
    this.#circuits = new Array(settings.slots).fill(undefined);
  }

  /** Which slots carry a payload in the run's round `index`: none in one that sets up circuits. */
  carriers(index: number): readonly number[] {
    const { mode, slots } = this.#settings;
    const all = Array.from({ length: slots }, (_, slot) => slot);
    if (mode === RunMode.ROUNDS) return all;
    return index === 0 ? [] : all.filter((slot) => this.#circuits[slot]);
  }

  /**
   * Makes the onions of a round. In a run of circuits, one round after the other.
   *
   * @param payloads for slots that carry one, all of which must be there.
   */
  async make(
    index: number,
    payloads: ReadonlyMap<number, Bytes>,
  ): Promise<MadeOnions> {
    const { kind, mode, slots, mixes } = this.#settings;
    const sizes = sizesOf(kind, mode, index, mixes.length - 1);
    const made = await Promise.all(
      Array.from({ length: slots }, (_, slot) => {
        return this.#onion(index, slot, payloads.get(slot));
      }),
    );
    const onions = new Uint8Array(slots * sizes.onion);
    made.forEach((each, slot) => {
      onions.set(each?.onion ?? this.#random(sizes.onion), slot * sizes.onion);
    });
    const open = (replies: Bytes) => openAll(made, replies, sizes);
    return {
      onions,
      reply: sizes.reply,
      open: mode === RunMode.CIRCUITS && index === 0
        ? async (replies) => {
          const opened = await open(replies);
          this.#circuits = this.#circuits.map((each, slot) =>
            opened[slot] === undefined ? undefined : each
          );
          return opened;
        }
        : open,
    };
  }

  /** The round that sets circuits up came to nothing: there are none. */
  drop(): void {
    this.#circuits.fill(undefined);
  }

  async #onion(
    index: number,
    slot: number,
    payload: Bytes | undefined,
  ): Promise<WrappedOnion | undefined> {
    const { kind, mode, first, period } = this.#settings;
    const round = { kind, start: first + index * period };
    if (mode === RunMode.CIRCUITS && index === 0) {
      const { circuit, ...wrapped } = await this.#layers.setUp(
        this.#chain(index),
        round,
      );
      this.#circuits[slot] = circuit;
      return wrapped;
    }
    if (payload === undefined) return undefined;
    if (mode === RunMode.CIRCUITS) {
      return await this.#circuits[slot]?.wrap(payload, index);
    }
    return await this.#layers.wrap(payload, this.#chain(index), round);
  }

  #chain(index: number): Bytes[] {
    return this.#settings.mixes.map((_, place) =>
      keyOf(this.#settings, place, index)
    );
  }
}

function openAll(
  made: readonly (WrappedOnion | undefined)[],
  replies: Bytes,
  { reply }: RoundSizes,
): Promise<(Bytes | undefined)[]> {
  return Promise.all(made.map(async (each, slot) => {
    try {
      const own = replies.subarray(slot * reply, (slot + 1) * reply);
      return await each?.openReply(own);
    } catch {
      return undefined;
    }
  }));
}

/** How many runs are remembered: of both kinds, the one that is on and some to come. */
const RUNS_LIMIT = 8;

/** The onions of each run. Circuits stand for as long as their run, whatever becomes of connections. */
export class OnionsOfRuns {
  readonly #layers: OnionLayers;
  readonly #random: RandomSource;
  #runs: { readonly body: Bytes; readonly onions: RunOnions }[] = [];

  /** As for `RunOnions`. */
  constructor(layers: OnionLayers, random: RandomSource) {
    this.#layers = layers;
    this.#random = random;
  }

  /** The onions of a run, the same ones for the same settings. */
  of(settings: RunSettings): RunOnions {
    const { body } = settings;
    const known = this.#runs.find((each) => equalConstantTime(each.body, body));
    if (known !== undefined) return known.onions;
    const onions = new RunOnions(settings, this.#layers, this.#random);
    this.#runs = [...this.#runs.slice(1 - RUNS_LIMIT), { body, onions }];
    return onions;
  }
}
