import { ExitPolicy, signDescriptor } from "../../lib/directory/mod.ts";
import type { RelayDescriptor } from "../../lib/directory/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { DEFAULT_LISTENER_LIMITS, dial, listen } from "../../lib/net/mod.ts";
import type { Listener } from "../../lib/net/mod.ts";
import type { DestroyReason } from "../../lib/onion/cell/cell.ts";
import type { HopTarget } from "../../lib/onion/circuit/hop_handshake.ts";
import type { CircuitError } from "../../lib/onion/client/circuit_error.ts";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import { CircuitLink } from "../../lib/onion/link/circuit_link.ts";
import { Link } from "../../lib/onion/link/link.ts";
import { LinkPadding } from "../../lib/onion/link/link_padding.ts";
import { askForLink } from "../../lib/onion/link/link_commands.ts";
import { Relay } from "../../lib/onion/relay/relay.ts";
import type { RelayCircuit } from "../../lib/onion/relay/relay_circuit.ts";
import { DEFAULT_RELAY_LIMITS } from "../../lib/onion/relay/relay_limits.ts";
import type { RelayLimits } from "../../lib/onion/relay/relay_limits.ts";
import type {
  Bytes,
  ByteStream,
  Channel,
  DhKeyPair,
} from "../../lib/protocol/mod.ts";
import { Caller, generateDh } from "../../lib/protocol/mod.ts";
import { freshNodeKeyring, TEST_TIME } from "../support/keyrings.ts";
import { memoryConnection } from "../support/memory_stream.ts";
import type { MemoryConnection } from "../support/memory_stream.ts";
import { MemoryIncoming } from "./memory_incoming.ts";
import { WireDirection, WireTap } from "./wire_tap.ts";
import { World } from "./world.ts";

/** The one who opens links and is no relay. */
export const CLIENT = -1;
/** The address that a client comes from, unless it says otherwise. */
export const CLIENT_ADDRESS = "198.51.100.7";

/** A relay of the network. */
export interface NetworkNode {
  readonly keyring: NodeKeyring;
  /** Its onion keys; the newest first. */
  readonly onionKeys: DhKeyPair[];
  readonly descriptor: RelayDescriptor;
  readonly relay: Relay;
  /** What is behind it as an exit. */
  readonly world: World;
  /** Who has connected to it, by address. */
  readonly callers: string[];
}

/** A connection between two of them. */
export interface Wire {
  /** Index of the relay that dialled, or `CLIENT`. */
  readonly from: number;
  /** Index of the relay that was dialled. */
  readonly to: number;
  /** What passes from the dialling side. */
  readonly rightward: WireDirection;
  /** What passes to it. */
  readonly leftward: WireDirection;
  /** Breaks it. */
  cut(): void;
}

/** How a network is. */
export interface NetworkOptions {
  /** Limits other than the usual ones. */
  readonly limits?: Partial<RelayLimits>;
  /** Over TCP on the loopback interface instead of in memory. */
  readonly tcp?: boolean;
  /** How many times faster deadlines of connections in memory pass. */
  readonly hurry?: number;
}

/** Whatever a test does to timers. */
const realTimeout = globalThis.setTimeout;

/** Keyrings are made once for all networks of a test file. */
const KEYRINGS: Promise<NodeKeyring>[] = [];

/** Relays that know each other, each with a world of its own behind it. */
export class RelayNetwork implements AsyncDisposable {
  readonly nodes: NetworkNode[] = [];
  /** Every connection, in the order in which they were dialled. */
  readonly wires: Wire[] = [];
  /** Which relay's circuits have ended and why, in order. */
  readonly endings: { relay: number; reason: DestroyReason }[] = [];
  /** What relays have called failures of their own. */
  readonly failures: unknown[] = [];
  /** How connections to relays have ended that did not end orderly. */
  readonly broken: unknown[] = [];
  /** Whom relays reach instead of another relay. */
  strange: ((to: number) => Promise<ByteStream> | undefined) | undefined;
  readonly #options: NetworkOptions;
  readonly #listeners: Listener[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #links: CircuitLink[] = [];

  private constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** Starts so many relays. */
  static async start(
    count: number,
    options: NetworkOptions = {},
  ): Promise<RelayNetwork> {
    const network = new RelayNetwork(options);
    for (let i = 0; i < count; i++) await network.#addRelay(i);
    return network;
  }

  /**
   * A link of a client to a relay, over which it can build circuits.
   *
   * @param took makes the client wait before it reads on.
   */
  async link(
    to = 0,
    hostname = CLIENT_ADDRESS,
    took: () => Promise<void> = () => Promise.resolve(),
  ): Promise<CircuitLink> {
    const { descriptor } = this.nodes[to]!;
    const stream = await this.connect(CLIENT, to, hostname);
    const channel = await askForLink(stream, descriptor.identity.dhKey);
    const link = new Link(channel, now);
    const circuitLink = new CircuitLink(link);
    this.#links.push(circuitLink);
    const padding = new LinkPadding(link, now);
    this.#run(circuitLink.run(took).finally(() => padding.stop()));
    return circuitLink;
  }

  /** A channel to a relay on which a link was granted, for cells by hand. */
  async channel(to = 0, hostname = CLIENT_ADDRESS): Promise<Channel> {
    const { descriptor } = this.nodes[to]!;
    const stream = await this.connect(CLIENT, to, hostname);
    return await askForLink(stream, descriptor.identity.dhKey);
  }

  /** A channel to a relay on which nothing was said. */
  async bareChannel(to = 0): Promise<Channel> {
    const { descriptor } = this.nodes[to]!;
    const stream = await this.connect(CLIENT, to);
    return await new Caller(stream).connect(descriptor.identity.dhKey);
  }

  /** The relays of a path as a client names them. */
  path(...relays: readonly number[]): HopTarget[] {
    return relays.map((index) => {
      const { descriptor, onionKeys } = this.nodes[index]!;
      return {
        fingerprint: descriptor.identity.fingerprint,
        onionKey: onionKeys[0]!.publicKey,
      };
    });
  }

  /** A circuit through relays 0 to `length` - 1, over a link of its own. */
  async circuit(
    length: number,
    ended?: (error: CircuitError) => void,
  ): Promise<ClientCircuit> {
    const link = await this.link();
    const path = this.path(...this.nodes.keys()).slice(0, length);
    return await ClientCircuit.build(link, path, ended);
  }

  /** The wire between two. @throws {Error} if there is none. */
  wire(from: number, to: number): Wire {
    const wire = this.wires.findLast((each) =>
      each.from === from && each.to === to
    );
    if (wire === undefined) throw new Error(`No wire from ${from} to ${to}`);
    return wire;
  }

  /** The wires that a circuit from the client over relays 0, 1, 2, ... has, from the client on. */
  wiresOf(length: number): Wire[] {
    return Array.from({ length }, (_, i) => this.wire(i - 1, i));
  }

  /**
   * Lets go of the wires that a newer one has taken the place of, in runs that dial without end. The newest
   * between two stays however long ago it was dialled: relays keep their links.
   */
  forgetOldWires(): void {
    const newest = this.wires.filter((each) =>
      each === this.wire(each.from, each.to)
    );
    this.wires.splice(0, this.wires.length, ...newest);
  }

  /** The descriptor of the relay with this fingerprint. */
  find(fingerprint: Bytes): RelayDescriptor | undefined {
    const wanted = fingerprint.toHex();
    return this.nodes.find(({ descriptor: { identity } }) =>
      identity.fingerprint.toHex() === wanted
    )?.descriptor;
  }

  /** How many circuits each relay has. */
  get circuits(): number[] {
    return this.nodes.map(({ relay }) => relay.status.circuits);
  }

  /** Connects to a relay. */
  async connect(
    from: number,
    to: number,
    hostname = CLIENT_ADDRESS,
  ): Promise<ByteStream> {
    if (this.#options.tcp) {
      const { port } = this.nodes[to]!.descriptor.address;
      const rightward = new WireDirection();
      const stream = await dial({ hostname: "127.0.0.1", port });
      const cut = () => closeQuietly(stream);
      this.wires.push({ from, to, rightward, leftward: rightward, cut });
      return new WireTap(stream, rightward);
    }
    const connection = memoryConnection();
    return new WireTap(
      connection.left,
      this.#accept(from, to, hostname, connection),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) link.abort();
    for (const { cut } of this.wires) cut();
    await Promise.all(this.nodes.map(({ relay }) => relay.close()));
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await Promise.all(this.#running);
    await Promise.all(this.nodes.map(({ world }) => world.stop()));
    // What was being sealed or opened for nobody any more.
    await new Promise((resolve) => realTimeout(resolve, 50));
    if (this.failures.length > 0) throw new AggregateError(this.failures);
  }

  #accept(
    from: number,
    to: number,
    hostname: string,
    connection: MemoryConnection,
  ): WireDirection {
    const [rightward, leftward] = [new WireDirection(), new WireDirection()];
    this.wires.push({
      from,
      to,
      rightward,
      leftward,
      cut: () => connection.reset(),
    });
    const incoming = new MemoryIncoming(
      new WireTap(connection.right, leftward),
      hostname,
      this.#options.hurry ?? 1,
    );
    const { relay, callers } = this.nodes[to]!;
    callers.push(hostname);
    this.#run(relay.accept(incoming).finally(() => incoming.close()));
    return rightward;
  }

  #run(work: Promise<void>): void {
    const running = work.catch((error) => void this.broken.push(error))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #addRelay(index: number): Promise<void> {
    const keyring = await (KEYRINGS[index] ??= freshNodeKeyring());
    const onionKeys = [await generateDh()];
    const world = new World();
    const relay = new WatchedRelay({
      keyring,
      onionKeys: () => onionKeys,
      find: (fingerprint) => Promise.resolve(this.find(fingerprint)),
      dial: ({ identity }) => {
        const to = this.nodes.findIndex(({ descriptor }) =>
          descriptor.identity === identity
        );
        return this.strange?.(to) ??
          this.connect(index, to, `192.0.2.${index + 1}`);
      },
      exit: world,
      limits: { ...DEFAULT_RELAY_LIMITS, ...this.#options.limits },
      now,
      failed: (error) => this.failures.push(error),
    }, (reason) => this.endings.push({ relay: index, reason }));
    const port = this.#options.tcp ? this.#listen(relay) : 9_000 + index;
    const descriptor = await signDescriptor({
      onionKey: onionKeys[0]!.publicKey,
      address: { host: `192.0.2.${index + 1}`, port },
      policy: ExitPolicy.REJECT_ALL,
      bandwidth: 1_000_000,
      family: [],
      roles: 0,
      version: "1",
      publishedAt: TEST_TIME,
    }, keyring);
    const callers: string[] = [];
    const node = { keyring, onionKeys, descriptor, relay, world, callers };
    this.nodes.push(node);
  }

  #listen(relay: Relay): number {
    const listener = listen(
      { hostname: "127.0.0.1", port: 0 },
      DEFAULT_LISTENER_LIMITS,
      (incoming) => relay.accept(incoming),
      (error) => this.broken.push(error),
    );
    this.#listeners.push(listener);
    return listener.port;
  }
}

/** A relay that tells whose circuits end. */
class WatchedRelay extends Relay {
  readonly #told: (reason: DestroyReason) => void;

  constructor(
    options: ConstructorParameters<typeof Relay>[0],
    told: (reason: DestroyReason) => void,
  ) {
    super(options);
    this.#told = told;
  }

  override ended(circuit: RelayCircuit, reason?: DestroyReason): void {
    this.#told(reason ?? "internal");
    super.ended(circuit);
  }
}

function now(): number {
  return performance.now();
}

function closeQuietly(stream: ByteStream): void {
  try {
    stream.close();
  } catch {
    // Closed before.
  }
}
