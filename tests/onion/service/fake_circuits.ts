import type { ConsensusRelay } from "../../../lib/directory/mod.ts";
import { CircuitError } from "../../../lib/onion/client/circuit_error.ts";
import type { ClientCircuit } from "../../../lib/onion/client/client_circuit.ts";
import type { RelayMessage } from "../../../lib/onion/cell/message.ts";
import type {
  Circuits,
  Surroundings,
} from "../../../lib/onion/service/circuits.ts";
import type { StreamAcceptor } from "../../../lib/onion/stream/stream_mux.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { TEST_TIME } from "../../support/keyrings.ts";
import { idOf, relay } from "../path/relays.ts";

/** A circuit that is none: what is asked on it, a test answers. */
export class FakeCircuit {
  /** The relay that it ends at. */
  readonly to: number;
  readonly length: number;
  readonly last: { readonly fingerprint: Bytes };
  readonly binding = new Uint8Array(32);
  /** What was sent and not asked. */
  readonly sent: { command: number; data: Bytes }[] = [];
  failure: CircuitError | undefined;
  /** Set once it is joined. */
  acceptor: StreamAcceptor | undefined;
  readonly streams = {
    size: 0,
    connected: () => {},
    sendEnd: () => {},
  };
  readonly #network: FakeNetwork;
  readonly #ended: () => void;
  #listener: ((message: RelayMessage) => boolean) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(
    network: FakeNetwork,
    fingerprint: Bytes,
    length: number,
    ended: () => void,
  ) {
    this.#network = network;
    this.#ended = ended;
    this.to = idOf(fingerprint);
    this.last = { fingerprint };
    this.length = length;
  }

  async ask(command: number, data: Bytes): Promise<Bytes> {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#reject = reject;
    const answer = this.#network.answer(this.to, command, data);
    return await Promise.race([promise, answer]);
  }

  send(command: number, data: Bytes): void {
    this.sent.push({ command, data });
  }

  listen(listener: (message: RelayMessage) => boolean): void {
    this.#listener = listener;
  }

  /** Something comes that nobody has asked for. */
  bring(command: number, data: Bytes): boolean {
    return this.#listener?.({ command, stream: 0, data }) ?? false;
  }

  join(_keys: unknown, acceptor: StreamAcceptor): void {
    this.acceptor = acceptor;
  }

  destroy(reason: CircuitError["reason"]): void {
    if (this.failure !== undefined) return;
    this.failure = new CircuitError(reason, 4);
    this.#reject?.(this.failure);
    this.#ended();
  }
}

/** Relays 0, 1, 2, ... and circuits to them, without anything behind; time passes when a test says so. */
export class FakeNetwork implements Circuits {
  relays: readonly ConsensusRelay[];
  /** Milliseconds of both clocks. */
  clock = TEST_TIME * 1_000;
  readonly circuits: FakeCircuit[] = [];
  /** Relays to which there are no circuits. */
  readonly unreachable = new Set<number>();
  /** Answers what is asked of a relay. */
  answer: (relay: number, command: number, data: Bytes) => Promise<Bytes> =
    () => Promise.resolve(new Uint8Array(0));

  constructor(count: number) {
    this.relays = Array.from({ length: count }, (_, id) => relay({ id }));
  }

  get surroundings(): Surroundings {
    return {
      circuits: this,
      directory: { consensus: () => Promise.resolve(this) },
      time: () => this.clock,
      now: () => this.clock,
      random: randomBytes,
    };
  }

  /** Those that stand. */
  get standing(): FakeCircuit[] {
    return this.circuits.filter(({ failure }) => failure === undefined);
  }

  async circuitTo(
    last: Bytes | undefined,
    ended: () => void,
    signal?: AbortSignal,
    hops = 3,
  ): Promise<ClientCircuit> {
    await Promise.resolve();
    signal?.throwIfAborted();
    const { fingerprint } = this.relays[0]!.descriptor.identity;
    const circuit = new FakeCircuit(this, last ?? fingerprint, hops, ended);
    if (this.unreachable.has(circuit.to)) {
      throw new CircuitError("connect-failed", 3);
    }
    this.circuits.push(circuit);
    return circuit as unknown as ClientCircuit;
  }
}

/** Lets everything happen that does not wait for a timer. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
