import type { Bytes, DhKeyPair } from "../../protocol/mod.ts";
import type { RoundId } from "../round.ts";
import type { RoundSizes } from "../sizes.ts";

/** What does the cryptography of layers: in this thread, or in one of its own. */
export interface LayerEngine {
  /** Begins a run, or the engine's part of one. */
  begin(): EngineRun;
}

/** A run at an engine. Circuits stay at the one where they were agreed on. */
export interface EngineRun {
  /** Begins a round of the run. */
  begin(keys: RoundKeys): EngineRound;
  /** Forgets the circuits at once, and those that an agreement under way would still bring. */
  erase(): void;
}

/** What the onions of a round at a mix are opened with. */
export interface RoundKeys {
  /** Which round. */
  readonly round: RoundId;
  /** Which of its run's rounds it is, if the run is one of circuits; 0 in every round otherwise. */
  readonly index: number;
  /** The lengths at that place of the chain. */
  readonly sizes: RoundSizes;
  /** The mix's onion key of the round; `undefined` if the round is keyed by the run's circuits. */
  readonly keyPair?: DhKeyPair | undefined;
  /** Whether its onions set up the run's circuits. */
  readonly setsUp: boolean;
}

/** A round at an engine: `open` any number of times, then `seal` any number of times. */
export interface EngineRound {
  /** Opens onions. They are the engine's from now on. */
  open(onions: Bytes): Promise<EngineOpened>;
  /**
   * Seals replies to `count` onions that did open, from the one numbered `first` on in the order in which they
   * were given. The replies are the engine's from now on.
   */
  seal(first: number, count: number, replies: Bytes): Promise<Bytes>;
  /** Forgets keys at once. Resolves when nothing is under way any more; never rejects. */
  erase(): Promise<void>;
}

/** What came of onions that an engine was given. */
export interface EngineOpened {
  /** What was under their layers, one behind the other; zeros where an onion did not open. */
  readonly inner: Bytes;
  /** 1 for each onion that did open, and 0 for each that did not. */
  readonly isOpen: Bytes;
  /** What the circuits that they set up are called, 16 bytes for each onion; empty if they set up none. */
  readonly circuitIds: Bytes;
}
