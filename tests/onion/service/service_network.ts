import { FLAG_GUARD } from "../../../lib/directory/mod.ts";
import type { ConsensusRelay, Directory } from "../../../lib/directory/mod.ts";
import type { NodeKeyring } from "../../../lib/identity/mod.ts";
import type { Incoming } from "../../../lib/net/mod.ts";
import { OnionClient } from "../../../lib/onion/client/onion_client.ts";
import type { RelayMessage } from "../../../lib/onion/cell/message.ts";
import { Guards } from "../../../lib/onion/path/guards.ts";
import type { RelayCircuit } from "../../../lib/onion/relay/relay_circuit.ts";
import type { Surroundings } from "../../../lib/onion/service/circuits.ts";
import { OnionService } from "../../../lib/onion/service/onion_service.ts";
import type { OnionServiceOptions } from "../../../lib/onion/service/onion_service.ts";
import { ServiceClient } from "../../../lib/onion/service/service_client.ts";
import { randomBytes, writeAll } from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring, TEST_TIME } from "../../support/keyrings.ts";
import { CLIENT, RelayNetwork } from "../relay_network.ts";
import type { NetworkOptions } from "../relay_network.ts";
import { pause, until } from "../streams.ts";

/** A network of relays with services and their clients, who build circuits as they do in earnest. */
export class ServiceNetwork implements AsyncDisposable {
  readonly relays: RelayNetwork;
  /** Milliseconds since 1970. */
  time = TEST_TIME * 1_000;
  /** What services have called failures. */
  readonly failures: unknown[] = [];
  #consensus: { readonly relays: readonly ConsensusRelay[] } = { relays: [] };
  readonly #keyrings = new Map<string, NodeKeyring>();
  readonly #dead = new Set<number>();
  readonly #closers: (() => Promise<void>)[] = [];

  private constructor(relays: RelayNetwork) {
    this.relays = relays;
    this.list(...relays.nodes.keys());
  }

  /** Starts so many relays. */
  static async start(
    count: number,
    options?: NetworkOptions,
  ): Promise<ServiceNetwork> {
    return new ServiceNetwork(await RelayNetwork.start(count, options));
  }

  /** Makes these the relays of the consensus. */
  list(...indices: readonly number[]): void {
    const relays = indices.map((index) => ({
      descriptor: this.relays.nodes[index]!.descriptor,
      flags: FLAG_GUARD,
    }));
    this.#consensus = { relays };
  }

  /** The relay with this fingerprint, as an index. */
  indexOf(fingerprint: Uint8Array): number {
    const wanted = fingerprint.toHex();
    return this.relays.nodes.findIndex(({ descriptor: { identity } }) =>
      identity.fingerprint.toHex() === wanted
    );
  }

  /** Somebody who builds circuits. */
  surroundings(hops = 3): Surroundings {
    const directory = { consensus: () => Promise.resolve(this.#consensus) };
    const circuits = new OnionClient({
      directory: directory as unknown as Directory,
      guards: new Guards(),
      keepGuards: () => Promise.resolve(),
      rules: { hops, distinctNetworks: false },
      dial: ({ identity }) => {
        const index = this.indexOf(identity.fingerprint);
        return this.#dead.has(index)
          ? Promise.reject(new Error("nobody is there"))
          : this.relays.connect(CLIENT, index);
      },
      random: randomBytes,
      now: () => performance.now(),
      time: () => this.time,
    });
    this.#closers.unshift(() => circuits.close());
    return {
      circuits,
      directory,
      time: () => this.time,
      now: () => performance.now(),
      random: randomBytes,
    };
  }

  /** Keys for a service. */
  async keyring(): Promise<NodeKeyring> {
    const keyring = await freshNodeKeyring();
    this.#keyrings.set(keyring.certificate.fingerprint.toHex(), keyring);
    return keyring;
  }

  /** The keys of a service. */
  keyringOf({ fingerprint }: OnionService): NodeKeyring {
    return this.#keyrings.get(fingerprint.toHex())!;
  }

  /** A service that sends back what it is sent, and has just begun. */
  starting(
    keyring: NodeKeyring,
    options: Partial<OnionServiceOptions> = {},
  ): OnionService {
    const service = OnionService.start({
      ...this.surroundings(),
      keyring,
      accept: echo,
      failed: (error) => this.failures.push(error),
      ...options,
    });
    this.#closers.unshift(() => service.close());
    return service;
  }

  /** A service that sends back what it is sent, and can be reached. */
  async service(
    options: Partial<OnionServiceOptions> = {},
    keyring?: NodeKeyring,
  ): Promise<OnionService> {
    const service = this.starting(keyring ?? await this.keyring(), options);
    await this.standing(service);
    return service;
  }

  /** Waits until a service has all its points, at all stores. */
  async standing(service: OnionService, milliseconds = 10_000): Promise<void> {
    const stores = Math.min(4, this.#consensus.relays.length);
    await until(
      () => service.state.points === 3 && service.state.stores === stores,
      "the service stands",
      milliseconds,
    );
  }

  /** The relays that are introduction points of a service. */
  pointsOf(service: OnionService): number[] {
    return service.points.map(({ relay }) => this.indexOf(relay));
  }

  /**
   * Has a relay show the messages that are for it to `lie`, which says whether it has dealt with them
   * itself.
   */
  lie(
    index: number,
    lie: (message: RelayMessage, circuit: RelayCircuit) => boolean,
  ): void {
    const { relay } = this.relays.nodes[index]!;
    const honest = relay.serve.bind(relay);
    relay.serve = (circuit) => {
      const service = honest(circuit);
      return {
        handle(message, units, sealed) {
          if (!lie(message, circuit)) service.handle(message, units, sealed);
        },
        lost: () => service.lost(),
      };
    };
  }

  /** Ends a relay. */
  async kill(index: number): Promise<void> {
    await this.relays.nodes[index]!.relay.close();
    this.#dead.add(index);
  }

  /** Somebody who reaches services. */
  client(surroundings: Surroundings = this.surroundings()): ServiceClient {
    const client = new ServiceClient(surroundings);
    this.#closers.unshift(() => client.close());
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers) await close();
    await this.relays[Symbol.asyncDispose]();
    // Large cells that were being sealed or opened for nobody any more.
    await pause(40);
  }
}

/** Sends back what comes. */
export async function echo(incoming: Incoming): Promise<void> {
  const buffer = new Uint8Array(4_096);
  for (;;) {
    const count = await incoming.read(buffer);
    if (count === null) return;
    await writeAll(incoming, buffer.subarray(0, count));
  }
}
