import { DEFAULT_PORT } from "../../identity/mod.ts";
import type { Incoming } from "../../net/mod.ts";
import type { ClientCircuit } from "../client/client_circuit.ts";
import type { CircuitStream } from "../stream/circuit_stream.ts";
import type { Destination } from "../stream/stream_message.ts";
import type { StreamAcceptor } from "../stream/stream_mux.ts";
import { ServiceIncoming } from "./service_incoming.ts";

/** The service's end of a circuit: hands out the streams that clients open. */
export class ServiceStreams implements StreamAcceptor {
  readonly #circuit: ClientCircuit;
  readonly #accept: (incoming: Incoming) => boolean;

  /** `accept` says whether it takes a stream; then it closes it, too. */
  constructor(
    circuit: ClientCircuit,
    accept: (incoming: Incoming) => boolean,
  ) {
    this.#circuit = circuit;
    this.#accept = accept;
  }

  begin(stream: CircuitStream, { port }: Destination): void {
    // Nothing else is there, whatever the host is called.
    if (port !== DEFAULT_PORT) return stream.abort("exit-policy");
    const incoming = new ServiceIncoming(stream);
    if (!this.#accept(incoming)) return stream.abort("resource-limit");
    this.#circuit.streams.connected(stream.id);
  }

  resolve(id: number): void {
    this.#circuit.streams.sendEnd(id, "resolve-failed");
  }
}
