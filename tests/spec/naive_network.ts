/**
 * Relays of ours, and clients of the text that reach them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { CLIENT } from "../onion/relay_network.ts";
import type { RelayNetwork } from "../onion/relay_network.ts";
import { NaiveCircuit } from "./naive_circuit.ts";
import type { NaiveRelayName } from "./naive_circuit.ts";
import { NaiveLink } from "./naive_link.ts";

/** A link to the first relay of a network. */
export async function linkTo(network: RelayNetwork): Promise<NaiveLink> {
  const stream = await network.connect(CLIENT, 0);
  const { descriptor } = network.nodes[0]!;
  return await NaiveLink.open(stream, descriptor.identity.dhKey);
}

/** The relays as the directory has them. */
export function names(network: RelayNetwork): NaiveRelayName[] {
  return network.nodes.map(({ descriptor, onionKeys }) => ({
    fingerprint: descriptor.identity.fingerprint,
    onionKey: onionKeys[0]!.publicKey,
  }));
}

/** A circuit through all relays of a network. */
export async function circuitOf(
  network: RelayNetwork,
  link: NaiveLink,
  number = 1,
): Promise<NaiveCircuit> {
  const circuit = new NaiveCircuit(link, number);
  for (const name of names(network)) await circuit.extend(name);
  return circuit;
}

/** Waits until relays have so many circuits. */
export async function settle(
  network: RelayNetwork,
  expected: readonly number[],
): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (`${network.circuits}` === `${expected}`) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(network.circuits, [...expected]);
}
