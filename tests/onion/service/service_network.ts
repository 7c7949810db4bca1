import { FLAG_GUARD } from "../../../lib/directory/mod.ts";
import type { ConsensusRelay, Directory } from "../../../lib/directory/mod.ts";
import type { NodeKeyring } from "../../../lib/identity/mod.ts";
import type { Incoming } from "../../../lib/net/mod.ts";
import { OnionClient } from "../../../lib/onion/client/onion_client.ts";
import { Guards } from "../../../lib/onion/path/guards.ts";
import type { Surroundings } from "../../../lib/onion/service/circuits.ts";
import { OnionService } from "../../../lib/onion/service/onion_service.ts";
import type { OnionServiceOptions } from "../../../lib/onion/service/onion_service.ts";
import { ServiceClient } from "../../../lib/onion/service/service_client.ts";
import { randomBytes, writeAll } from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring, TEST_TIME } from "../../support/keyrings.ts";
import { CLIENT, RelayNetwork } from "../relay_network.ts";
import type { NetworkOptions } from "../relay_network.ts";
import { until } from "../streams.ts";

/** A network of relays with services and their clients, who build circuits as they do in earnest. */
export class ServiceNetwork implements AsyncDisposable {
  readonly relays: RelayNetwork;
  /** Milliseconds since 1970. */
  time = TEST_TIME * 1_000;
  /** What services have called failures. */
  readonly failures: unknown[] = [];
  #consensus: { readonly relays: readonly ConsensusRelay[] } = { relays: [] };
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
      dial: ({ identity }) =>
        this.relays.connect(CLIENT, this.indexOf(identity.fingerprint)),
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

  /** A service that sends back what it is sent, and can be reached. */
  async service(
    options: Partial<OnionServiceOptions> = {},
    keyring?: NodeKeyring,
  ): Promise<OnionService> {
    const service = OnionService.start({
      ...this.surroundings(),
      keyring: keyring ?? await freshNodeKeyring(),
      accept: echo,
      failed: (error) => this.failures.push(error),
      ...options,
    });
    this.#closers.unshift(() => service.close());
    await this.standing(service);
    return service;
  }

  /** Waits until a service has all its points, at all stores. */
  async standing(service: OnionService): Promise<void> {
    const stores = Math.min(4, this.#consensus.relays.length);
    await until(
      () => service.state.points === 3 && service.state.stores === stores,
      `the service stands: ${JSON.stringify(service.state)}`,
      15_000,
    );
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
