import type { ConsensusRelay, Directory } from "../../lib/directory/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { MixError, MixLink, SYSTEM_TIMERS } from "../../lib/mix/mod.ts";
import type { MixPeer } from "../../lib/mix/mod.ts";
import type { Bytes, ByteStream } from "../../lib/protocol/mod.ts";
import type { Log } from "../log.ts";
import { chooseMixes, isMix, printOf } from "./choose_mixes.ts";
import type { Draw } from "./choose_mixes.ts";
import type { FurtherMixes } from "./mix_server.ts";

/** What the mixes behind a server are found with. */
export interface MixChainOptions {
  /** The server's keys. */
  readonly node: NodeKeyring;
  /** Which relays there are. */
  readonly directory: Directory;
  /** How many are needed. */
  readonly count: number;
  /** Fingerprints (32 bytes) of those that it must be, in their order; `undefined` if any will do. */
  readonly named: readonly Bytes[] | undefined;
  /** Connects to a relay, unless `stop` fires first. */
  readonly dial: (
    relay: ConsensusRelay,
    stop: AbortSignal,
  ) => Promise<ByteStream>;
  /** For the choice. */
  readonly draw: Draw;
  /** For operators. */
  readonly log: Log;
}

interface Connection {
  readonly link: MixLink;
  /** When it was in the chain last, in milliseconds of a steady clock. */
  usedAt: number;
}

/** So often another chain is tried when a mix does not answer. */
const ATTEMPTS = 3;
/** A mix that did not answer is left out for so long if there are others, in milliseconds. */
const AVOIDED_FOR = 300_000;
/** A connection that is in no chain any more is closed after this: older runs may need it. */
const UNUSED_FOR = 900_000;
/** A clock that is off by more is worth a word, in milliseconds. */
const SKEW = 3_000;

/** The relays that are mixes behind the server: chosen once, and kept as long as they answer. */
export class MixChain implements FurtherMixes {
  readonly #options: MixChainOptions;
  readonly #connections = new Map<string, Connection>();
  /** Until when somebody is left out, by fingerprint. */
  readonly #avoided = new Map<string, number>();
  #kept: readonly string[] = [];
  #attempt: Promise<readonly MixPeer[]> | undefined;
  readonly #stop = new AbortController();

  constructor(options: MixChainOptions) {
    this.#options = options;
  }

  current(): Promise<readonly MixPeer[]> {
    this.#attempt ??= this.#find().finally(() => this.#attempt = undefined);
    return this.#attempt;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#attempt?.catch(() => {});
    const all = [...this.#connections.values()];
    await Promise.all(all.map(({ link }) => link.end().catch(() => {})));
  }

  get #isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  async #find(): Promise<readonly MixPeer[]> {
    let why: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const relays = await this.#choose();
      const found = await Promise.allSettled(
        relays.map((relay) => this.#connect(relay)),
      );
      const links = found.flatMap((each) =>
        each.status === "fulfilled" ? [each.value] : []
      );
      if (links.length === relays.length) {
        this.#keep(relays);
        return links;
      }
      for (const [index, each] of found.entries()) {
        if (each.status === "fulfilled") continue;
        why = each.reason;
        const until = performance.now() + AVOIDED_FOR;
        this.#avoided.set(printOf(relays[index]!), until);
      }
      // There is no other choice, or no need of one.
      if (this.#options.named !== undefined || this.#isClosed) break;
    }
    throw why;
  }

  async #choose(): Promise<readonly ConsensusRelay[]> {
    const { directory, count, named, node, draw } = this.#options;
    const { relays } = await directory.consensus();
    const now = performance.now();
    for (const [print, until] of this.#avoided) {
      if (until < now) this.#avoided.delete(print);
    }
    const own = node.certificate.fingerprint.toHex();
    const names = named?.map((each) => each.toHex());
    const chosen = names === undefined
      ? chooseMixes(relays, count, {
        own,
        kept: this.#kept,
        avoided: new Set(this.#avoided.keys()),
        draw,
      })
      : names.flatMap((name) =>
        relays.filter((each) => isMix(each) && printOf(each) === name)
      );
    if (chosen.length === count) return chosen;
    // Those that are missing may be in the next consensus.
    directory.refresh().catch(() => {});
    const demand = names === undefined
      ? "of different owners and networks"
      : "by the names given";
    throw new MixError(
      "ERR_MIX_GONE",
      `Cannot find mixes: ${chosen.length} of ${count} are listed, ${demand}`,
    );
  }

  async #connect(relay: ConsensusRelay): Promise<MixLink> {
    const { dial, log } = this.#options;
    const name = printOf(relay);
    const known = this.#connections.get(name);
    if (known !== undefined && !known.link.isGone) return known.link;
    this.#connections.delete(name);
    const stream = await dial(relay, this.#stop.signal).catch((cause) => {
      throw new MixError("ERR_MIX_GONE", "Cannot reach a mix", { cause });
    });
    const link = await this.#greet(stream, relay);
    if (this.#isClosed) {
      await link.end();
      throw new MixError("ERR_MIX_GONE", "Cannot use a mix: it is over");
    }
    if (Math.abs(link.skew) > SKEW) {
      log.warn("the clock of a mix is off", { ms: Math.round(link.skew) });
    }
    this.#connections.set(name, { link, usedAt: performance.now() });
    return link;
  }

  /** Shakes hands with a mix, which may take its time, but not when all of it is over. */
  async #greet(stream: ByteStream, relay: ConsensusRelay): Promise<MixLink> {
    const { signal } = this.#stop;
    const hangUp = () => {
      try {
        stream.close();
      } catch {
        // It is closed already.
      }
    };
    if (signal.aborted) hangUp();
    signal.addEventListener("abort", hangUp);
    try {
      return await MixLink.open(stream, {
        mix: relay.descriptor.identity,
        keyring: this.#options.node,
        timers: SYSTEM_TIMERS,
      });
    } finally {
      signal.removeEventListener("abort", hangUp);
    }
  }

  /** Notes which they are, and lets go of those that have not been in the chain for long. */
  #keep(relays: readonly ConsensusRelay[]): void {
    const names = relays.map(printOf);
    if (names.join() !== this.#kept.join()) {
      const isFirst = this.#kept.length === 0;
      this.#options.log.info(isFirst ? "chain of mixes" : "chain has changed", {
        mixes: names.length + 1,
      });
    }
    this.#kept = names;
    // They answer again: or chance would choose anew each time among those that are left out.
    for (const name of names) this.#avoided.delete(name);
    const now = performance.now();
    for (const [name, connection] of this.#connections) {
      if (names.includes(name)) connection.usedAt = now;
      else if (connection.usedAt + UNUSED_FOR < now) {
        this.#connections.delete(name);
        connection.link.end().catch(() => {});
      }
    }
  }
}
