import type { Bytes } from "../../protocol/mod.ts";
import { ClientCircuit } from "../layer/client_circuit.ts";
import { wrapOnion } from "../layer/wrap_onion.ts";
import type { WrappedOnion } from "../layer/wrapped_onion.ts";
import type { RoundId } from "../round.ts";

/** One circuit of a run. */
export interface OnionCircuit {
  /** The circuit's onion of the run's round `index`, from 1 on and in order. */
  wrap(payload: Bytes, index: number): Promise<WrappedOnion>;
}

/** What puts payloads into layers. */
export interface OnionLayers {
  /** An onion of a round that has its own keys; `chain` as for `wrapOnion`. */
  wrap(
    payload: Bytes,
    chain: readonly Bytes[],
    round: RoundId,
  ): Promise<WrappedOnion>;
  /** A new circuit, and the onion that sets it up. */
  setUp(
    chain: readonly Bytes[],
    round: RoundId,
  ): Promise<WrappedOnion & { readonly circuit: OnionCircuit }>;
}

/** The layers of this protocol. */
export const ONION_LAYERS: OnionLayers = {
  wrap: wrapOnion,
  setUp: (chain, round) => ClientCircuit.setUp(chain, round),
};
