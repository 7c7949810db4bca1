import type { Directory } from "../../lib/directory/mod.ts";
import { formatServerAddress, onionAddress } from "../../lib/identity/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { dial } from "../../lib/net/mod.ts";
import type { Incoming } from "../../lib/net/mod.ts";
import { OnionClient, OnionService } from "../../lib/onion/mod.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import type { Io } from "../io.ts";
import type { Log } from "../log.ts";
import { networkFrom, networkName, openDirectory } from "../network.ts";
import type { NetworkFlags } from "../network_flags.ts";
import { StoredGuards } from "../stored_guards.ts";
import { logOnionFailure, OnionNews } from "./onion_news.ts";

/** Relays in a circuit of a server's own. */
const HOPS = 3;

/** Where a server is in the onion network: what is there before it serves. */
export interface OnionPlace {
  readonly directory: Directory;
  readonly guards: StoredGuards;
}

/** Whom a server serves through the onion network, and how. */
export interface OnionServing {
  readonly node: NodeKeyring;
  readonly accept: (incoming: Incoming) => Promise<void>;
  /** Whether nothing is to be said on standard output. */
  readonly quiet: boolean;
  readonly log: Log;
}

/**
 * Opens what a server needs of the onion network. The consensus and the guards are kept in `data`.
 *
 * @throws {UsageError} if no network is named.
 */
export async function openOnionPlace(
  io: Io,
  flags: NetworkFlags,
  data: string,
  log: Log,
): Promise<OnionPlace> {
  const network = await networkFrom(io, flags);
  const name = await networkName(network);
  const guards = await StoredGuards.open(`${data}/guards-${name}.json`);
  const failed = (error: unknown) => logOnionFailure(log, error);
  const copy = `${data}/consensus-${name}`;
  const directory = await openDirectory(io, network, failed, copy);
  return { directory, guards };
}

/** A server that is reached through the onion network. */
export class OnionServer {
  readonly #service: OnionService;
  readonly #client: OnionClient;
  readonly #directory: Directory;
  readonly #news: OnionNews;
  readonly #fresh: Promise<void>;

  private constructor(
    service: OnionService,
    client: OnionClient,
    directory: Directory,
    news: OnionNews,
  ) {
    this.#service = service;
    this.#news = news;
    this.#client = client;
    this.#directory = directory;
    this.#fresh = directory.keepFresh();
  }

  /** Starts it. The address is printed once it can be reached there. */
  static start(
    io: Io,
    { directory, guards }: OnionPlace,
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
    return new OnionServer(service, client, directory, news);
  }

  /** Takes nobody on any more. */
  stop(): void {
    this.#service.stop();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#news.close();
    await this.#service.close();
    this.#directory.close();
    await this.#client.close();
    await this.#fresh;
  }
}
