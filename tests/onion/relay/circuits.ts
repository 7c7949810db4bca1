import { assertEquals } from "@std/assert";
import type { CircuitError } from "../../../lib/onion/client/circuit_error.ts";
import { ClientCircuit } from "../../../lib/onion/client/client_circuit.ts";
import type { RelayNetwork } from "../relay_network.ts";
import { until } from "../streams.ts";

/** A circuit over these relays. */
export async function circuitOver(
  network: RelayNetwork,
  ...relays: number[]
): Promise<ClientCircuit> {
  const link = await network.link(relays[0]);
  return await ClientCircuit.build(link, network.path(...relays));
}

/** Resolves when the circuit has ended for this reason. */
export async function goneFor(
  circuit: ClientCircuit,
  reason: CircuitError["reason"],
): Promise<void> {
  await until(() => circuit.failure !== undefined, "the circuit is gone");
  assertEquals(circuit.failure!.reason, reason);
}
