import { Circuits } from "./circuits.ts";
import type { EngineRun, LayerEngine, RoundKeys } from "./layer_engine.ts";
import { RoundLayers } from "./round_layers.ts";

/** The layers of one run at one mix: engines share its rounds, and each keeps circuits of its own. */
export class RunLayers {
  readonly #runs: readonly EngineRun[];
  /** At which engine a circuit is. */
  readonly #circuits = new Circuits<number>();

  /** @param engines what does the work, at least one. */
  constructor(engines: readonly LayerEngine[]) {
    this.#runs = engines.map((engine) => engine.begin());
  }

  /** How many circuits there are. */
  get circuits(): number {
    return this.#circuits.size;
  }

  /**
   * Begins a round.
   *
   * @throws {RangeError} if its sizes are not those of one layer.
   */
  begin(keys: RoundKeys): RoundLayers {
    const parts = this.#runs.map((run) => run.begin(keys));
    return new RoundLayers(keys, parts, this.#circuits);
  }

  /** Forgets the circuits at once, and those that an onion under way would still bring. */
  erase(): void {
    this.#circuits.erase();
    for (const run of this.#runs) run.erase();
  }
}
