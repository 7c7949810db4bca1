import type { ConsensusRelay } from "../../directory/mod.ts";
import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { randomBelow } from "../../protocol/mod.ts";
import { RELAY } from "../cell/message.ts";
import type { ClientCircuit } from "../client/client_circuit.ts";
import { StreamError } from "../stream/stream_error.ts";
import type { Surroundings } from "./circuits.ts";
import { openDescriptor } from "./sealed_descriptor.ts";
import { parseServiceDescriptor } from "./service_descriptor.ts";
import type { ServiceDescriptor } from "./service_descriptor.ts";
import { BLOBS_LIMIT, encodeFetch, parseFetched } from "./service_message.ts";
import { indexOf, periodAt, storesOf } from "./service_ring.ts";
import { within } from "./within.ts";

/** Time for a relay to answer, in milliseconds. */
const PATIENCE = 10_000;

/** What is looked for. */
interface Wanted {
  readonly fingerprint: Bytes;
  readonly index: Bytes;
  /** Whether it helps. */
  readonly isWanted: (descriptor: ServiceDescriptor) => boolean;
}

/**
 * Finds the descriptor of a service: asks the relays that keep it, in random order, each over a circuit
 * of its own, until one has one that the service has signed. A relay can withhold it, but cannot make
 * one.
 *
 * @param fingerprint of the service, 32 bytes.
 * @param isWanted whether a descriptor helps; if not, the search goes on.
 * @throws {StreamError} `resolve-failed` if none has one.
 */
export async function findDescriptor(
  { circuits, directory, time, random }: Surroundings,
  fingerprint: Bytes,
  isWanted: (descriptor: ServiceDescriptor) => boolean,
  signal: AbortSignal,
): Promise<ServiceDescriptor> {
  const now = Math.floor(time() / 1_000);
  const { relays } = await directory.consensus();
  const period = periodAt(fingerprint, now);
  const index = await indexOf(fingerprint, period);
  const stores = shuffled(await storesOf(relays, index, period), random);
  let cause: unknown;
  for (const store of stores) {
    signal.throwIfAborted();
    const last = store.descriptor.identity.fingerprint;
    let circuit: ClientCircuit;
    try {
      circuit = await circuits.circuitTo(last, () => {}, signal);
    } catch (error) {
      cause = error;
      continue;
    }
    try {
      const wanted = { fingerprint, index, isWanted };
      const found = await within(
        PATIENCE,
        circuit,
        ask(circuit, wanted, now),
        signal,
      );
      if (found !== undefined) return found;
    } catch (error) {
      cause = error;
    } finally {
      circuit.destroy("requested");
    }
  }
  signal.throwIfAborted();
  throw new StreamError(
    "resolve-failed",
    "Cannot reach an onion service: no relay knows of it",
    { cause },
  );
}

async function ask(
  circuit: ClientCircuit,
  { fingerprint, index, isWanted }: Wanted,
  now: number,
): Promise<ServiceDescriptor | undefined> {
  for (let place = 0; place < BLOBS_LIMIT; place++) {
    const request = encodeFetch({ index, place });
    const blob = parseFetched(
      await circuit.ask(RELAY.FETCH, request, RELAY.FETCHED),
    );
    if (blob === undefined) return undefined;
    let found: ServiceDescriptor;
    try {
      const bytes = await openDescriptor(blob, fingerprint, index);
      found = await parseServiceDescriptor(bytes, fingerprint, now);
    } catch {
      // Anybody can have put something else there.
      continue;
    }
    if (isWanted(found)) return found;
  }
  return undefined;
}

function shuffled(
  relays: readonly ConsensusRelay[],
  random: RandomSource,
): readonly ConsensusRelay[] {
  const left = [...relays];
  return Array.from(
    relays,
    () => left.splice(randomBelow(left.length, random), 1)[0]!,
  );
}
