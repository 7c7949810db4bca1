import { parseFingerprint } from "../../identity/mod.ts";
import { parseIpAddress } from "../../net/mod.ts";
import type { ConsensusRelay } from "../../directory/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import type { CircuitStream } from "../stream/circuit_stream.ts";
import type { OnionStream, StreamOpener } from "../stream/opener.ts";
import { ServiceClient } from "../service/service_client.ts";
import { StreamError } from "../stream/stream_error.ts";
import type { EndReason } from "../stream/stream_error.ts";
import { CircuitBuilder } from "./circuit_builder.ts";
import type { BuilderOptions, CircuitWish } from "./circuit_builder.ts";
import type { ClientCircuit } from "./client_circuit.ts";
import { orAborted } from "./or_aborted.ts";

/** Circuits that are kept ready. */
const PREBUILT = 2;
/** A circuit that has carried a stream takes no new ones after this, in milliseconds (10 minutes). */
const DIRTINESS = 600_000;
/** A circuit that nobody has used goes after this, in milliseconds (an hour). */
const IDLE = 3_600_000;
/** Between two looks at what is too old, in milliseconds. */
const SWEEP_EVERY = 10_000;
/** Ends the names of onion services. */
const SERVICE_ENDING = ".onion";
/** Circuits on which one stream is tried. */
const ATTEMPTS = 3;

/** Ends for which another circuit may do better, because another exit is asked. */
const WORTH_ANOTHER: ReadonlySet<EndReason> = new Set([
  "circuit-gone",
  "exit-policy",
  "resource-limit",
  "resolve-failed",
  "timeout",
  "unreachable",
]);

/** A circuit as it is shown. */
export interface CircuitStatus {
  /** Counts from 1. */
  readonly id: number;
  /** The relays, the guard first. */
  readonly path: readonly ConsensusRelay[];
  /** Streams that are open. */
  readonly streams: number;
  /** Whether it was used; then only what belongs together uses it. */
  readonly used: boolean;
  /** Milliseconds since it was built. */
  readonly age: number;
  /** How long it took to build, in milliseconds. */
  readonly took: number;
  /** Bytes that streams on it have brought. */
  readonly received: number;
  /** Bytes that streams on it have taken. */
  readonly sent: number;
}

interface Entry {
  readonly id: number;
  readonly circuit: ClientCircuit;
  readonly path: readonly ConsensusRelay[];
  readonly took: number;
  readonly builtAt: number;
  /** What may use it; `undefined` while nobody has. */
  isolation: string | undefined;
  /** When it was first used. */
  usedAt: number;
}

/**
 * The client: opens streams over circuits of its own. Circuits are built ahead, are used by what belongs
 * together and by nothing else, and are not used again once they are ten minutes old.
 */
export class OnionClient implements StreamOpener {
  readonly #options: BuilderOptions;
  readonly #builder: CircuitBuilder;
  readonly #services: ServiceClient;
  readonly #circuits = new Set<Entry>();
  /** Circuits under way, by what will use them. */
  readonly #building = new Map<string, Promise<Entry>>();
  readonly #closing = new AbortController();
  readonly #sweep: ReturnType<typeof setInterval>;
  #prebuilding: Promise<void> | undefined;
  /** What circuits are kept ready for: the last port that was asked for. */
  #expected: CircuitWish = { port: 443 };
  #lastId = 0;

  /** Builds nothing yet; see `prebuild`. */
  constructor(options: BuilderOptions) {
    this.#options = options;
    this.#builder = new CircuitBuilder(options);
    this.#services = new ServiceClient({ ...options, circuits: this });
    this.#sweep = setInterval(() => this.#retire(), SWEEP_EVERY);
  }

  /** The circuits that stand, the oldest first. */
  get circuits(): readonly CircuitStatus[] {
    const now = this.#options.now();
    return [...this.#circuits].map((entry) => ({
      id: entry.id,
      path: entry.path,
      streams: entry.circuit.streams.size,
      used: entry.isolation !== undefined,
      age: now - entry.builtAt,
      took: entry.took,
      received: entry.circuit.streams.traffic.in,
      sent: entry.circuit.streams.traffic.out,
    }));
  }

  /** Builds circuits ahead; resolves when there are some, or none can be built. */
  async prebuild(): Promise<void> {
    this.#prebuilding ??= this.#fill().finally(() =>
      this.#prebuilding = undefined
    );
    await this.#prebuilding;
  }

  async open(
    host: string,
    port: number,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<OnionStream> {
    if (host.toLowerCase().endsWith(SERVICE_ENDING)) {
      return await this.#services.open(serviceOf(host), isolation, signal);
    }
    this.#expected = { port };
    return await this.#tryOn<CircuitStream>(
      { host, port },
      isolation,
      (circuit) => circuit.streams.open({ host, port }, signal),
      signal,
    );
  }

  async resolve(
    name: string,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const answers = await this.#tryOn(
      { resolves: true },
      isolation,
      (circuit) => circuit.streams.resolve(name, signal),
      signal,
    );
    if (answers.length > 0) return answers;
    throw new StreamError("resolve-failed", "Cannot resolve: no answer");
  }

  /**
   * A circuit that ends at a relay of the caller's choice and is nobody else's, for services.
   *
   * @internal
   * @param ended told when it is gone.
   * @param hops as many relays; as many as usual if not given.
   * @throws {StreamError} `no-circuit`.
   */
  async circuitTo(
    last: Bytes | undefined,
    ended: () => void = () => {},
    signal?: AbortSignal,
    hops?: number,
  ): Promise<ClientCircuit> {
    const wish = last === undefined ? { hops } : { last, hops };
    return (await this.#builder.build(wish, ended, signal)).circuit;
  }

  /** Ends every circuit. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#closing.abort();
    for (const { circuit } of this.#circuits) circuit.destroy("requested");
    this.#circuits.clear();
    await Promise.allSettled([this.#prebuilding, ...this.#building.values()]);
    await this.#services.close();
    await this.#builder.close();
  }

  async #tryOn<T>(
    wish: CircuitWish,
    isolation: string,
    attempt: (circuit: ClientCircuit) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const exclude: Bytes[] = [];
    let last: unknown;
    for (let i = 0; i < ATTEMPTS; i++) {
      let entry: Entry;
      try {
        entry = await this.#circuitFor({ ...wish, exclude }, isolation, signal);
      } catch (error) {
        // Where there is no other exit, what the first one said tells more.
        throw last ?? error;
      }
      try {
        return await attempt(entry.circuit);
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        if (!WORTH_ANOTHER.has(error.reason)) throw error;
        last = error;
        if (error.reason !== "circuit-gone") {
          exclude.push(entry.path.at(-1)!.descriptor.identity.fingerprint);
        }
      }
    }
    throw last;
  }

  async #circuitFor(
    wish: CircuitWish,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<Entry> {
    const now = this.#options.now();
    const fitting = [...this.#circuits].filter((entry) => fits(entry, wish));
    const mine = fitting.find((entry) =>
      entry.isolation === isolation && now - entry.usedAt < DIRTINESS &&
      !entry.circuit.streams.clogged
    );
    if (mine !== undefined) return mine;
    const clean = fitting.find((entry) => entry.isolation === undefined);
    if (clean !== undefined) {
      clean.isolation = isolation;
      clean.usedAt = now;
      this.prebuild().catch(() => {/* whoever needs one sees it */});
      return clean;
    }
    return await this.#buildFor(wish, isolation, signal);
  }

  /** Whoever wants the same at the same time waits for the same circuit. */
  async #buildFor(
    wish: CircuitWish,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<Entry> {
    const key = JSON.stringify([
      isolation,
      wish.port,
      wish.exclude?.map((each) => each.toHex()),
    ]);
    let building = this.#building.get(key);
    if (building === undefined) {
      building = this.#add(wish, isolation);
      this.#building.set(key, building);
      building.catch(() => {}).finally(() => this.#building.delete(key));
    }
    return await orAborted(building, signal);
  }

  async #add(wish: CircuitWish, isolation?: string): Promise<Entry> {
    const closing = this.#closing.signal;
    const made: { entry?: Entry } = {};
    const { circuit, path, took } = await this.#builder.build(wish, () => {
      if (made.entry !== undefined) this.#circuits.delete(made.entry);
    }, closing);
    const builtAt = this.#options.now();
    const id = ++this.#lastId;
    const usedAt = builtAt;
    const entry = { id, circuit, path, took, builtAt, isolation, usedAt };
    made.entry = entry;
    if (closing.aborted) circuit.destroy("requested");
    if (circuit.failure === undefined) this.#circuits.add(entry);
    return entry;
  }

  async #fill(): Promise<void> {
    const clean = () =>
      [...this.#circuits].filter((entry) =>
        entry.isolation === undefined && fits(entry, this.#expected)
      ).length;
    while (clean() < PREBUILT && !this.#closing.signal.aborted) {
      await this.#add(this.#expected);
    }
  }

  /** Ends circuits that are too old, and carry nothing any more. */
  #retire(): void {
    const now = this.#options.now();
    for (const entry of this.#circuits) {
      if (entry.circuit.streams.size > 0) continue;
      const isOld = entry.isolation === undefined
        ? now - entry.builtAt > IDLE
        : now - entry.usedAt > DIRTINESS;
      if (!isOld) continue;
      this.#circuits.delete(entry);
      entry.circuit.destroy("requested");
    }
  }
}

/** Whether the exit of a circuit serves, as far as can be told before the name is resolved. */
function fits(entry: Entry, wish: CircuitWish): boolean {
  const { descriptor } = entry.path.at(-1)!;
  const print = descriptor.identity.fingerprint.toHex();
  if (wish.exclude?.some((each) => each.toHex() === print)) return false;
  const { port, host } = wish;
  if (port === undefined) return descriptor.policy.isExit || !wish.resolves;
  return host !== undefined && parseIpAddress(host) !== undefined
    ? descriptor.policy.permits(host, port)
    : descriptor.policy.permitsSome(port);
}

/** The fingerprint of the service that is named. @throws {StreamError} if it is none. */
function serviceOf(host: string): Bytes {
  try {
    return parseFingerprint(host.slice(0, -SERVICE_ENDING.length));
  } catch (cause) {
    throw new StreamError(
      "resolve-failed",
      "Cannot open a stream: no such service can be",
      { cause },
    );
  }
}
