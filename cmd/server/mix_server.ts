import type { GuestService } from "../../lib/account/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { MixNode, MixService, SYSTEM_TIMERS } from "../../lib/mix/mod.ts";
import type { MixPeer } from "../../lib/mix/mod.ts";
import type { Log } from "../log.ts";
import { mixEngines } from "../mix_engines.ts";
import { noiseOf } from "../mix_noise.ts";
import { MixNews } from "./mix_news.ts";
import type { MixSettings } from "./mix_settings.ts";

/** Between two dialing rounds at most, in milliseconds. */
const LONGEST = 600_000;

/** The mixes behind the server. */
export interface FurtherMixes {
  /** Those of the next run, in their order. @throws {Error} if there are not enough. */
  current(): Promise<readonly MixPeer[]>;
  /** Lets go of them. */
  close(): Promise<void>;
}

/** What a server runs rounds with. */
export interface MixServerOptions {
  /** Its own keys. */
  readonly node: NodeKeyring;
  /** What the flags say. */
  readonly settings: MixSettings;
  /** The mixes behind it; nobody in a chain of one. */
  readonly further: FurtherMixes | undefined;
  /** For operators. */
  readonly log: Log;
}

/** The rounds of a server: coordinator, entry and first mix. */
export class MixServer {
  /** What guests are offered. */
  readonly service: GuestService;
  readonly #service: MixService;
  readonly #own: MixNode;
  readonly #further: FurtherMixes | undefined;
  readonly #news: MixNews;

  /** Runs nothing before the first client joins. */
  constructor({ node, settings, further, log }: MixServerOptions) {
    this.#further = further;
    this.#own = new MixNode({
      keyring: node,
      coordinator: node.certificate.fingerprint,
      noise: (kind) => noiseOf(settings.noise, kind),
      engines: mixEngines(),
      timers: SYSTEM_TIMERS,
    });
    const news = new MixNews(log, () => this.#service.status);
    this.#news = news;
    this.#service = new MixService({
      identity: node.certificate,
      chain: async () => [this.#own, ...await further?.current() ?? []],
      exchange: { period: settings.period, slots: settings.slots },
      dialing: { period: Math.min(5 * settings.period, LONGEST) },
      mode: settings.mode,
      clients: settings.clients,
      failed: (error) => news.failed(error),
    });
    this.service = this.#service;
  }

  /** Looks for the chain before anybody needs it, so that operators learn early if there is none. */
  look(): void {
    this.#further?.current().catch((error) => this.#news.lacking(error));
  }

  /** Fails the rounds that are under way, and says CLOSE to all clients. */
  async stop(): Promise<void> {
    this.#news.close();
    await this.#service.stop();
  }

  /** Lets go of the other mixes. */
  async close(): Promise<void> {
    await this.#further?.close();
    this.#own.stop();
  }
}
