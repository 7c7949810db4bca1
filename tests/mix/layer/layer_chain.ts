import { LocalEngine, RunLayers } from "../../../lib/mix/layer/mod.ts";
import type { LayerEngine, RoundLayers } from "../../../lib/mix/layer/mod.ts";
import { RunMode } from "../../../lib/mix/round.ts";
import type { RoundId, RoundKind, Run } from "../../../lib/mix/round.ts";
import { sizesOf } from "../../../lib/mix/sizes.ts";
import type { RoundSizes } from "../../../lib/mix/sizes.ts";
import { concat, generateDh } from "../../../lib/protocol/mod.ts";
import type { Bytes, DhKeyPair } from "../../../lib/protocol/mod.ts";

/** The layers of a run's mixes, and nothing else of them. One key pair each, whatever the mode. */
export interface LayerChain {
  readonly run: Run;
  readonly pairs: readonly DhKeyPair[];
  readonly publicKeys: readonly Bytes[];
  /** What the mixes hold of the run. */
  readonly layers: readonly RunLayers[];
}

/** A chain of `length` mixes for a run with a round every 2 seconds; they have those engines in common. */
export async function layerChain(
  length: number,
  kind: RoundKind,
  mode: RunMode,
  engines: readonly LayerEngine[] = [new LocalEngine()],
): Promise<LayerChain> {
  const pairs = await Promise.all(
    Array.from({ length }, () => generateDh()),
  );
  return {
    run: { kind, mode, first: 1_760_000_000_000, count: 15, period: 2_000 },
    pairs,
    publicKeys: pairs.map(({ publicKey }) => publicKey),
    layers: pairs.map(() => new RunLayers(engines)),
  };
}

/** How the run's round `index` is named. */
export function roundOf({ run }: LayerChain, index = 0): RoundId {
  return { kind: run.kind, start: run.first + index * run.period };
}

/** Lengths at the mix at `place` in the run's round `index`. */
export function sizesAt(
  { run, pairs }: LayerChain,
  place: number,
  index: number,
): RoundSizes {
  return sizesOf(run.kind, run.mode, index, pairs.length - 1 - place);
}

/** The layers of the run's round `index` at the mix at `place`. */
export function layersAt(
  chain: LayerChain,
  place: number,
  index: number,
): RoundLayers {
  const { run, pairs, layers } = chain;
  const ofCircuits = run.mode === RunMode.CIRCUITS;
  return layers[place]!.begin({
    round: roundOf(chain, index),
    index: ofCircuits ? index : 0,
    sizes: sizesAt(chain, place, index),
    keyPair: ofCircuits && index > 0 ? undefined : pairs[place],
    setsUp: ofCircuits && index === 0,
  });
}

/** A round's layers at every mix of a chain. */
export class LayerRound {
  readonly #layers: readonly RoundLayers[];

  constructor(chain: LayerChain, index: number) {
    this.#layers = chain.pairs.map((_, place) => layersAt(chain, place, index));
  }

  /** What the last mix finds when the first one is given `onions`. */
  async forward(onions: Bytes): Promise<Bytes> {
    let batch = onions;
    for (const layers of this.#layers) {
      layers.add(batch);
      batch = (await layers.opened()).inner;
    }
    return batch;
  }

  /** What the first mix gives back when the last one answers with `replies`. */
  async back(replies: Bytes): Promise<Bytes> {
    let batch = replies;
    for (const layers of this.#layers.toReversed()) {
      batch = await layers.seal(batch);
    }
    return batch;
  }

  /** Ends a round that has no answers, or is not to have them. */
  async erase(): Promise<void> {
    for (const layers of this.#layers) await layers.erase();
  }
}

/** The pieces of a batch. */
export function pieces(batch: Bytes, size: number): Bytes[] {
  return Array.from(
    { length: batch.length / size },
    (_, i) => batch.slice(i * size, (i + 1) * size),
  );
}

/** All of them one behind the other. */
export function batchOf(onions: readonly { readonly onion: Bytes }[]): Bytes {
  return concat(...onions.map(({ onion }) => onion));
}
