import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { MixHost } from "../../lib/mix/node/mix_host.ts";
import { MixLink } from "../../lib/mix/node/mix_link.ts";
import type { NoiseLevel } from "../../lib/mix/noise/noise_level.ts";
import { grantLink } from "../../lib/onion/link/link_commands.ts";
import { answer } from "../../lib/protocol/mod.ts";
import type { ByteStream } from "../../lib/protocol/mod.ts";
import { memoryConnection } from "../support/memory_stream.ts";
import type { MemoryConnection } from "../support/memory_stream.ts";
import type { VirtualTime } from "../mix/virtual_time.ts";

/** A mix as a machine of its own: it can die, with all that it knows, and come back with its keys only. */
export class MixPlace {
  readonly keyring: NodeKeyring;
  readonly #noise: NoiseLevel;
  readonly #time: VirtualTime;
  readonly #connections = new Set<MemoryConnection>();
  readonly #serving = new Set<Promise<void>>();
  #host: MixHost | undefined;
  /** How connections have ended there that were not ended in an orderly way. */
  readonly broken: unknown[] = [];

  /** It runs at once. */
  constructor(keyring: NodeKeyring, noise: NoiseLevel, time: VirtualTime) {
    this.keyring = keyring;
    this.#noise = noise;
    this.#time = time;
    this.start();
  }

  /** The mix, while it runs. */
  get host(): MixHost | undefined {
    return this.#host;
  }

  /** Runs again, with nothing but its keys. */
  start(): void {
    this.#host ??= new MixHost({
      keyring: this.keyring,
      coordinators: "any",
      noise: () => this.#noise,
      timers: this.#time,
    });
  }

  /** Ends as a process that is killed: every connection breaks, and what it knew is gone. */
  async kill(): Promise<void> {
    const host = this.#host;
    this.#host = undefined;
    for (const connection of this.#connections) connection.reset();
    this.#connections.clear();
    await host?.stop();
    await Promise.all(this.#serving);
  }

  /** A connection to its port; rejects while it does not run. */
  connect(): Promise<ByteStream> {
    const host = this.#host;
    if (host === undefined) {
      return Promise.reject(new Deno.errors.ConnectionRefused("nobody there"));
    }
    const connection = memoryConnection();
    this.#connections.add(connection);
    const serving = this.#serve(host, connection)
      .catch((error) => void this.broken.push(error))
      .finally(() => this.#serving.delete(serving));
    this.#serving.add(serving);
    return Promise.resolve(connection.left);
  }

  /** A link of a coordinator to it. */
  async link(coordinator: NodeKeyring): Promise<MixLink> {
    return await MixLink.open(await this.connect(), {
      mix: this.keyring.certificate,
      keyring: coordinator,
      timers: this.#time,
    });
  }

  async #serve(host: MixHost, connection: MemoryConnection): Promise<void> {
    const { right } = connection;
    try {
      const channel = await answer(right, {
        static: this.keyring.dh,
        certificate: this.keyring.certificate.bytes,
      });
      if (channel === undefined) return;
      const first = await grantLink(channel, host);
      if (first !== undefined && first !== "link") {
        await host.welcome(channel, first, { deadline: () => {} });
      }
      await channel.close();
    } finally {
      this.#connections.delete(connection);
      if (!right.closed) right.close();
    }
  }
}
