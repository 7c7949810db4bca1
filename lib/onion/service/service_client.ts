import { DEFAULT_PORT } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import type { ClientCircuit } from "../client/client_circuit.ts";
import { orAborted } from "../client/or_aborted.ts";
import type { OnionStream } from "../stream/opener.ts";
import { StreamError } from "../stream/stream_error.ts";
import type { Surroundings } from "./circuits.ts";
import { ServiceApproach } from "./reach_service.ts";
import type { ServiceDescriptor } from "./service_descriptor.ts";

/** What a stream to a service is opened to: there is nothing else there. */
const DESTINATION = { host: "service", port: DEFAULT_PORT };
/** A circuit without streams goes after this, in milliseconds (10 minutes). */
const IDLE = 600_000;
/** Between two looks at what is idle, in milliseconds. */
const SWEEP_EVERY = 10_000;
/** Descriptors that are remembered. */
const DESCRIPTORS_LIMIT = 100;
/** Circuits on which one stream is tried. */
const ATTEMPTS = 2;

interface Entry {
  /** The service, and what may use it. */
  readonly key: string;
  readonly ready: Promise<ClientCircuit>;
  circuit: ClientCircuit | undefined;
  /** When it was last used. */
  usedAt: number;
}

/** The asking side: opens streams to onion services, all of one isolation to one service on one circuit. */
export class ServiceClient {
  readonly #surroundings: Surroundings;
  readonly #entries = new Set<Entry>();
  readonly #descriptors = new Map<string, ServiceDescriptor>();
  readonly #closing = new AbortController();
  readonly #sweep: ReturnType<typeof setInterval>;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#sweep = setInterval(() => this.#retire(), SWEEP_EVERY);
  }

  /** How many circuits to services there are. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Opens a stream to a service. Who is there, what is said on it proves; the circuit to it was made with
   * keys that the service has signed.
   *
   * @param fingerprint of the service, 32 bytes.
   * @param isolation any text; streams with different ones use different circuits.
   * @throws {StreamError} `resolve-failed` if nobody knows of it, `unreachable` if it does not answer.
   * @throws {ConsensusError | DirectoryError} if it is not known which relays there are.
   */
  async open(
    fingerprint: Bytes,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<OnionStream> {
    for (let attempt = 1;; attempt++) {
      const entry = this.#entryFor(fingerprint, isolation);
      const circuit = await orAborted(entry.ready, signal);
      entry.usedAt = this.#surroundings.now();
      try {
        return await circuit.streams.open(DESTINATION, signal);
      } catch (error) {
        if (attempt === ATTEMPTS || !isGone(error)) throw error;
      }
    }
  }

  /** Ends every circuit. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#closing.abort();
    const entries = [...this.#entries];
    this.#entries.clear();
    for (const { circuit } of entries) circuit?.destroy("requested");
    await Promise.allSettled(entries.map(({ ready }) => ready));
  }

  #entryFor(fingerprint: Bytes, isolation: string): Entry {
    const service = fingerprint.toHex();
    const key = `${service} ${isolation}`;
    const known = [...this.#entries].find((each) =>
      each.key === key && isOpen(each)
    );
    if (known !== undefined) return known;
    const forget = () => void this.#entries.delete(entry);
    const entry: Entry = {
      key,
      ready: this.#reach(fingerprint, service, forget),
      circuit: undefined,
      usedAt: Infinity,
    };
    this.#entries.add(entry);
    entry.ready.then((circuit) => entry.circuit = circuit, forget);
    return entry;
  }

  async #reach(
    fingerprint: Bytes,
    service: string,
    ended: () => void,
  ): Promise<ClientCircuit> {
    const { signal } = this.#closing;
    signal.throwIfAborted();
    // An attempt may have several circuits that end before one stands.
    let standing = false;
    const approach = new ServiceApproach(
      this.#surroundings,
      fingerprint,
      this.#known(service),
      () => standing && ended(),
      signal,
    );
    // One with which nobody was reached is not tried again.
    this.#descriptors.delete(service);
    const circuit = await approach.run();
    standing = true;
    if (circuit.failure !== undefined) ended();
    this.#remember(service, approach.descriptor!);
    if (signal.aborted) circuit.destroy("requested");
    return circuit;
  }

  #known(service: string): ServiceDescriptor | undefined {
    const known = this.#descriptors.get(service);
    if (known === undefined) return undefined;
    const until = known.publishedAt + known.lifetime;
    return until * 1_000 > this.#surroundings.time() ? known : undefined;
  }

  #remember(service: string, descriptor: ServiceDescriptor): void {
    this.#descriptors.set(service, descriptor);
    if (this.#descriptors.size <= DESCRIPTORS_LIMIT) return;
    this.#descriptors.delete(this.#descriptors.keys().next().value!);
  }

  #retire(): void {
    const now = this.#surroundings.now();
    for (const entry of [...this.#entries]) {
      const { circuit, usedAt } = entry;
      if (circuit === undefined) continue;
      if (circuit.streams.size > 0) entry.usedAt = now;
      else if (now - usedAt > IDLE) circuit.destroy("requested");
    }
  }
}

/** Whether new streams can be opened on a circuit, or it is being made. */
function isOpen({ circuit }: Entry): boolean {
  return circuit === undefined ||
    circuit.failure === undefined && !circuit.streams.clogged;
}

function isGone(error: unknown): boolean {
  return error instanceof StreamError && error.reason === "circuit-gone";
}
