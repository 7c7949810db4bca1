import { formatServerAddress, onionAddress } from "../../lib/identity/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { dial } from "../../lib/net/mod.ts";
import type { Incoming } from "../../lib/net/mod.ts";
import { OnionClient, OnionService } from "../../lib/onion/mod.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import type { Io } from "../io.ts";
import type { Log } from "../log.ts";
import { StoredGuards } from "../stored_guards.ts";
import { OnionNews } from "./onion_news.ts";
import type { ServerNetwork } from "./server_network.ts";

/** Relays in a circuit of a server's own. */
const HOPS = 3;

/** Whom a server serves through the onion network, and how. */
export interface OnionServing {
  readonly node: NodeKeyring;
  readonly accept: (incoming: Incoming) => Promise<void>;
  /** Whether nothing is to be said on standard output. */
  readonly quiet: boolean;
  readonly log: Log;
}

/** The guards of a server, which are kept in `data`. */
export async function openGuards(
  { name }: ServerNetwork,
  data: string,
): Promise<StoredGuards> {
  return await StoredGuards.open(`${data}/guards-${name}.json`);
}

/** A server that is reached through the onion network. */
export class OnionServer {
  readonly #service: OnionService;
  readonly #client: OnionClient;
  readonly #news: OnionNews;

  private constructor(
    service: OnionService,
    client: OnionClient,
    news: OnionNews,
  ) {
    this.#service = service;
    this.#news = news;
    this.#client = client;
  }

  /** Starts it. The address is printed once it can be reached there. */
  static start(
    io: Io,
    { directory }: ServerNetwork,
    guards: StoredGuards,
    { node, accept, quiet, log }: OnionServing,
  ): OnionServer {
    const surroundings = {
      directory,
      random: randomBytes,
      now: () => performance.now(),
      time: () => io.now(),
    };
    const client = new OnionClient({
      ...surroundings,
      guards: guards.guards,
      keepGuards: (changed) => guards.keep(changed),
      rules: { hops: HOPS },
      dial: ({ address: { host, port } }) => dial({ hostname: host, port }),
    });
    const news = new OnionNews(log, () => {
      if (quiet) return;
      const { fingerprint } = node.certificate;
      const address = formatServerAddress(onionAddress(fingerprint));
      io.stdout.write(`onion address ${address}\n`).catch(() => {
        // Nobody reads it any more.
      });
    });
    const service = OnionService.start({
      ...surroundings,
      circuits: client,
      keyring: node,
      accept,
      changed: (state) => news.changed(state),
      failed: (error) => news.failed(error),
    });
    return new OnionServer(service, client, news);
  }

  /** Takes nobody on any more. */
  stop(): void {
    this.#service.stop();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#news.close();
    await this.#service.close();
    await this.#client.close();
  }
}
