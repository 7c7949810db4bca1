import {
  ExitPolicy,
  FLAG_EXIT,
  FLAG_GUARD,
} from "../../../lib/directory/mod.ts";
import type { ConsensusRelay } from "../../../lib/directory/mod.ts";
import { OnionClient } from "../../../lib/onion/client/onion_client.ts";
import { Guards } from "../../../lib/onion/path/guards.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { CLIENT, RelayNetwork } from "../relay_network.ts";
import type { NetworkOptions } from "../relay_network.ts";

/** What every exit of these networks connects to, unless a test says otherwise. */
const OPEN = ExitPolicy.parse("accept *:*");

/** A client in a network of relays in memory, with a clock that a test moves. */
export class ClientWorld implements AsyncDisposable {
  readonly network: RelayNetwork;
  readonly guards = new Guards();
  readonly client: OnionClient;
  /** What the consensus lists. */
  relays: ConsensusRelay[];
  /** Relays, by index, to which nobody can connect. */
  readonly unreachable = new Set<number>();
  /** Added to the steady clock, in milliseconds. */
  ahead = 0;
  /** How often the guards were stored. */
  stored = 0;

  private constructor(network: RelayNetwork) {
    this.network = network;
    this.relays = network.nodes.map(({ descriptor }) => ({
      descriptor: { ...descriptor, policy: OPEN },
      flags: FLAG_GUARD | FLAG_EXIT,
    }));
    this.client = new OnionClient({
      directory: {
        consensus: () => Promise.resolve({ relays: this.relays }),
      },
      guards: this.guards,
      keepGuards: () => Promise.resolve(void this.stored++),
      rules: { hops: 3, distinctNetworks: false },
      dial: ({ identity }) => {
        const index = this.indexOf(identity.fingerprint.toHex());
        if (this.unreachable.has(index)) {
          return Promise.reject(new Error("nobody there"));
        }
        return network.connect(CLIENT, index);
      },
      random: randomBytes,
      now: () => performance.now() + this.ahead,
      time: () => Date.now() + this.ahead,
    });
  }

  /** So many relays, each of them guard and exit. */
  static async start(
    count: number,
    options: NetworkOptions = {},
  ): Promise<ClientWorld> {
    return new ClientWorld(await RelayNetwork.start(count, options));
  }

  /** The relay of this fingerprint, in hexadecimal digits. */
  indexOf(fingerprint: string): number {
    return this.network.nodes.findIndex(({ descriptor: { identity } }) =>
      identity.fingerprint.toHex() === fingerprint
    );
  }

  /** The relays of every circuit, by index, the oldest circuit first. */
  get paths(): number[][] {
    return this.client.circuits.map(({ path }) =>
      path.map(({ descriptor: { identity } }) =>
        this.indexOf(identity.fingerprint.toHex())
      )
    );
  }

  /** The paths of the circuits that were used. */
  get usedPaths(): number[][] {
    const { circuits } = this.client;
    return this.paths.filter((_, i) => circuits[i]!.used);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.network[Symbol.asyncDispose]();
  }
}
