import { EntryLink } from "../../lib/mix/client/entry_link.ts";
import {
  dialCover,
  exchangeCover,
} from "../../lib/mix/client/slot_contents.ts";
import { SYSTEM_TIMERS } from "../../lib/mix/mix_timers.ts";
import { ClientCircuit, wrapOnion } from "../../lib/mix/layer/mod.ts";
import type { WrappedOnion } from "../../lib/mix/layer/mod.ts";
import { RoundKind, RunMode } from "../../lib/mix/round.ts";
import type { RoundId } from "../../lib/mix/round.ts";
import { keyOf } from "../../lib/mix/settings/run_settings.ts";
import type { RunSettings } from "../../lib/mix/settings/run_settings.ts";
import { verifySettings } from "../../lib/mix/settings/signed_settings.ts";
import type { IdentityOf } from "../../lib/mix/settings/signed_settings.ts";
import { DROP_ID_BYTES } from "../../lib/mix/sizes.ts";
import {
  concat,
  equalConstantTime,
  generateDh,
  randomBytes,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import { inParallel, sleep } from "./connecting.ts";

/** Onions of the crowd that are made at a time. */
const TOGETHER = 32;
/** The part of the window in which clients hand in, as real ones do. */
const PART = 0.7;
/** How much the clients of a round are waited for beyond what the entry waits for mixes, in milliseconds. */
const PATIENCE = 12_000;

/** So long nothing is said while onions are made, in milliseconds: whoever is silent is dropped in the end. */
const SILENCE = 45_000;

/** What became of a round for the crowd. Times are milliseconds since 1970. */
export interface PreparedRound extends RoundId {
  readonly closesAt: number;
  /** By client: what it hands in. */
  readonly onions: Bytes[];
  /** By client: what opens its replies; kept only to check them. */
  readonly wrapped: (readonly Wrapped[])[];
  /** By client: what came, where it is checked; otherwise nothing. */
  readonly replies: Bytes[];
  done: number;
  late: number;
  failed: number;
  /** When the last client was answered. */
  lastAt: number;
}

/** An onion and what is in it. */
interface Wrapped extends WrappedOnion {
  readonly payload: Bytes;
}

/** What a crowd is made of. */
export interface PreparedCrowdOptions {
  readonly size: number;
  readonly connect: () => Promise<CommandChannel>;
  readonly identityOf: IdentityOf;
  /** Whether replies are kept, and opened when all is over. */
  readonly checks: boolean;
}

/**
 * Clients that have made all their onions before the first round, for machines on which those of a
 * thousand clients would be more work than the mixes have. On the wire they are as others: connections of
 * their own, cover in every slot, handed in at a random time of the window, a filter after every dialing
 * round. One of them verifies settings for all.
 */
export class PreparedCrowd {
  readonly #options: PreparedCrowdOptions;
  readonly #clients: EntryLink[] = [];
  readonly #rounds = new Map<string, PreparedRound>();
  readonly #documents = new Set<string>();
  readonly #first = Promise.withResolvers<void>();
  readonly #settings: RunSettings[] = [];
  /** Connections that were lost. */
  gone = 0;

  constructor(options: PreparedCrowdOptions) {
    this.#options = options;
  }

  /** All rounds that were prepared. */
  get rounds(): readonly PreparedRound[] {
    return [...this.#rounds.values()];
  }

  /** They all connect and join; onions for the rounds of the first two runs are made. */
  async prepare(): Promise<void> {
    const { size, connect } = this.#options;
    await inParallel(size, TOGETHER, async (client) => {
      const entry: EntryLink = new EntryLink(await connect(), {
        announced: (document) => void this.#announced(document),
        done: (round, replies) => this.#done(entry, client, round, replies),
        late: (round) => this.#ended(round, "late"),
        failed: (round) => this.#ended(round, "failed"),
      });
      this.#clients[client] = entry;
      entry.serve().catch(() => this.gone++);
      await entry.join();
    });
    await this.#first.promise;
    const probing = setInterval(() => this.#probe(), SILENCE);
    for (const settings of this.#settings) await this.#make(settings);
    clearInterval(probing);
    if (this.gone > 0) throw new Error("Cannot measure: clients were dropped");
  }

  /** Takes part in everything that was prepared, and resolves when all of it is over. */
  async run(): Promise<void> {
    const { size } = this.#options;
    await Promise.all(this.rounds.map(async (round) => {
      await sleepUntil(round.start - 500);
      const window = round.closesAt - round.start;
      for (let client = 0; client < size; client++) {
        const sendAt = round.start + Math.random() * PART * window;
        setTimeout(() => {
          this.#clients[client]!.submit(round, round.onions[client]!);
        }, sendAt - SYSTEM_TIMERS.now());
      }
      const until = round.closesAt + PATIENCE;
      while (round.done + round.late + round.failed < size) {
        if (SYSTEM_TIMERS.now() > until) return;
        await sleep(100);
      }
    }));
  }

  /** How many replies of exchange rounds did not bring back what was left at a drop where nobody else was. */
  async wrongReplies(): Promise<number> {
    let wrong = 0;
    for (const { kind, replies, wrapped } of this.rounds) {
      if (kind !== RoundKind.EXCHANGE || wrapped.length === 0) continue;
      await inParallel(wrapped.length, TOGETHER, async (client) => {
        const all = wrapped[client]!;
        const size = (replies[client]?.length ?? 0) / all.length;
        for (const [slot, { payload, openReply }] of all.entries()) {
          const reply = replies[client]?.slice(slot * size, (slot + 1) * size);
          const opened = await openReply(reply ?? new Uint8Array(0))
            .catch(() => undefined);
          const sent = payload.subarray(DROP_ID_BYTES);
          if (!opened || !equalConstantTime(opened, sent)) wrong++;
        }
      });
    }
    return wrong;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  #probe(): void {
    for (const client of this.#clients) {
      client.probe().catch(() => {/* counted as gone */});
    }
  }

  /** Two runs are enough: one of each kind. */
  async #announced(document: Bytes): Promise<void> {
    const name = document.subarray(0, 64).toHex();
    if (this.#documents.has(name)) return;
    this.#documents.add(name);
    const { identityOf } = this.#options;
    const settings = await verifySettings(document, identityOf);
    if (this.#settings.some(({ kind }) => kind === settings.kind)) return;
    this.#settings.push(settings);
    if (this.#settings.length === 2) this.#first.resolve();
  }

  async #make(settings: RunSettings): Promise<void> {
    const { size, checks } = this.#options;
    const { kind, first, period, count, window, mode, slots } = settings;
    const circuits = new Map<number, ClientCircuit>();
    for (let index = 0; index < count; index++) {
      const start = first + index * period;
      const round: PreparedRound = {
        kind,
        start,
        closesAt: start + window,
        onions: [],
        wrapped: [],
        replies: [],
        done: 0,
        late: 0,
        failed: 0,
        lastAt: 0,
      };
      const chain = settings.mixes.map((_, place) =>
        keyOf(settings, place, index)
      );
      await inParallel(size, TOGETHER, async (client) => {
        const all: Wrapped[] = [];
        for (let slot = 0; slot < slots; slot++) {
          const number = client * slots + slot;
          if (mode === RunMode.CIRCUITS && index === 0) {
            const setUp = await ClientCircuit.setUp(chain, round);
            circuits.set(number, setUp.circuit);
            all.push({ ...setUp, payload: new Uint8Array(DROP_ID_BYTES) });
            continue;
          }
          const payload = kind === RoundKind.EXCHANGE
            ? exchangeCover(randomBytes)
            : dialCover(randomBytes);
          const wrapped = mode === RunMode.CIRCUITS
            ? await circuits.get(number)!.wrap(payload, index)
            : await wrapOnion(payload, chain, round);
          all.push({ ...wrapped, payload });
        }
        round.onions[client] = concat(...all.map(({ onion }) => onion));
        if (checks) round.wrapped[client] = all;
      });
      if (SYSTEM_TIMERS.now() > start - 1_000) {
        throw new Error("Cannot measure: onions were not ready in time");
      }
      this.#rounds.set(nameOf(round), round);
    }
  }

  #done(
    entry: EntryLink,
    client: number,
    round: RoundId,
    replies: Bytes,
  ): void {
    const known = this.#rounds.get(nameOf(round));
    if (known === undefined) return;
    known.done++;
    known.lastAt = SYSTEM_TIMERS.now();
    if (this.#options.checks) known.replies[client] = replies.slice();
    if (round.kind === RoundKind.DIALING) {
      entry.fetch(0, round.start - 1).catch(() => {/* counted as gone */});
    }
  }

  #ended(round: RoundId, how: "late" | "failed"): void {
    const known = this.#rounds.get(nameOf(round));
    if (known !== undefined) known[how]++;
  }
}

/** How many seconds it takes to make an onion for a chain of so many mixes, one of many. */
export async function secondsPerOnion(mixes: number): Promise<number> {
  const pairs = await Promise.all(
    Array.from({ length: mixes }, () => generateDh()),
  );
  const chain = pairs.map(({ publicKey }) => publicKey);
  const round = { kind: RoundKind.EXCHANGE, start: 0 };
  const make = () =>
    inParallel(1_000, TOGETHER, async () => {
      await wrapOnion(exchangeCover(randomBytes), chain, round);
    });
  await make();
  const begin = performance.now();
  await make();
  return (performance.now() - begin) / 1e6;
}

function nameOf({ kind, start }: RoundId): string {
  return `${kind}/${start}`;
}

async function sleepUntil(moment: number): Promise<void> {
  await sleep(Math.max(0, moment - SYSTEM_TIMERS.now()));
}
