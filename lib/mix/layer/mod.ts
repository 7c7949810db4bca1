/**
 * Layers of onions: the client puts a payload into one layer for each mix of a chain, every mix takes one
 * off while onions are still coming in, and seals one around the reply. Engines do that: in this thread, or in threads of
 * their own where a mix has processors for them. All onions of a round at a mix have
 * one length, and so have all replies; sizes.ts says which.
 *
 * A layer is X25519 with the mix's onion key of the round, one SHA-256, and ChaCha20-Poly1305; with
 * circuits, X25519 is left to the first round of a run. HKDF instead of the one-step derivation would take
 * a fifth more of the mix's time for calls alone. ChaCha20-Poly1305 costs what AES-256-GCM does at
 * these lengths, where the call is dearer than the cipher, but its keys are imported in two thirds of the
 * time, and processors of small boards know nothing of AES.
 *
 * The room knows of onions one by one. It does not shuffle them, add noise, read payloads, or choose keys
 * and rounds: that is up to the mix.
 *
 * @module
 */
export { ClientCircuit } from "./client_circuit.ts";
export { Lanes } from "./lanes.ts";
export { LocalEngine } from "./local_engine.ts";
export { RunLayers } from "./run_layers.ts";
export { ThreadEngine } from "./thread_engine.ts";
export { wrapOnion } from "./wrap_onion.ts";

export type { CircuitSetUp } from "./client_circuit.ts";
export type {
  EngineOpened,
  EngineRound,
  EngineRun,
  LayerEngine,
  RoundKeys,
} from "./layer_engine.ts";
export type { OpenedOnions, RoundLayers } from "./round_layers.ts";
export type { WrappedOnion } from "./wrapped_onion.ts";
