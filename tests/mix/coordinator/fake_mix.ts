import { randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import type {
  NodeCertificate,
  NodeKeyring,
} from "../../../lib/identity/mod.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import type { MixOffer, MixPeer } from "../../../lib/mix/mix_peer.ts";
import { roundName, RunMode } from "../../../lib/mix/round.ts";
import type { RoundId, Run } from "../../../lib/mix/round.ts";
import { parseSettingsBody } from "../../../lib/mix/settings/run_settings.ts";
import type { RunSettings } from "../../../lib/mix/settings/run_settings.ts";
import { signSettings } from "../../../lib/mix/settings/signed_settings.ts";
import { indexIn } from "../../../lib/mix/round.ts";
import { sizesOf } from "../../../lib/mix/sizes.ts";
import type { RoundSizes } from "../../../lib/mix/sizes.ts";
import { encodeFilters } from "../../../lib/mix/dialing/buckets.ts";
import { TokenFilter } from "../../../lib/mix/dialing/filter.ts";
import type { VirtualTime } from "../virtual_time.ts";

/** How a mix behaves: as it should; not there; silent; saying no; with too much or too little to give. */
export type Behaviour = "good" | "gone" | "silent" | "refusing" | "lying";

interface FakeRound {
  readonly sizes: RoundSizes;
  readonly isLast: boolean;
  readonly buckets: number;
  readonly added: Bytes[];
  step: "adding" | "closed" | "answered";
}

/**
 * A mix without secrets: its layer is 48 bytes of anything, and its order is that which came in turned
 * round. It insists on the order of calls, and counts what it holds.
 */
export class FakeMix implements MixPeer {
  readonly identity: NodeCertificate;
  behaviour: Behaviour = "good";
  /** What every step takes, in milliseconds. */
  delay = 0;
  /** Calls that came out of order: the coordinator's fault. */
  readonly broken: string[] = [];
  /** Amounts in which onions were given, in bytes. */
  readonly amounts: number[] = [];
  prepared = 0;
  signed: RunSettings[] = [];
  readonly #keyring: NodeKeyring;
  readonly #time: VirtualTime;
  readonly #rounds = new Map<string, FakeRound>();
  /** Rounds that are over: they may not begin again. */
  readonly #over = new Set<string>();

  constructor(keyring: NodeKeyring, time: VirtualTime) {
    this.identity = keyring.certificate;
    this.#keyring = keyring;
    this.#time = time;
  }

  /** Rounds that are held. */
  get rounds(): number {
    return this.#rounds.size;
  }

  /** Loses all that it knows, as a process does that ends. */
  restart(): void {
    this.signed = [];
    this.#rounds.clear();
  }

  async prepare(run: Run): Promise<MixOffer> {
    await this.#behave();
    this.prepared++;
    const lies = this.behaviour === "lying" ? 1 : 0;
    const count = run.mode === RunMode.CIRCUITS ? 1 : run.count;
    return {
      onionKeys: Array.from({ length: count + lies }, () => randomBytes(32)),
      noise: { mean: 0, scale: 0 },
    };
  }

  async sign(body: Bytes): Promise<Bytes> {
    await this.#behave();
    const settings = parseSettingsBody(body);
    this.signed.push(settings);
    return await signSettings(body, this.#keyring);
  }

  async add(id: RoundId, onions: Bytes): Promise<void> {
    if (this.behaviour === "gone") throw gone();
    const round = this.#rounds.get(roundName(id)) ?? this.#begin(id);
    if (round.step !== "adding") throw this.#outOfOrder("add");
    if (onions.length % round.sizes.onion !== 0) {
      throw this.#outOfOrder("add parts of");
    }
    this.amounts.push(onions.length);
    round.added.push(onions);
    await this.#behave();
  }

  async close(id: RoundId): Promise<Bytes> {
    const round = this.#rounds.get(roundName(id)) ?? this.#begin(id);
    if (round.step !== "adding") throw this.#outOfOrder("close");
    round.step = "closed";
    await this.#behave();
    const { sizes: { onion, inner, innerReply }, isLast } = round;
    const found = round.added.flatMap((batch) => pieces(batch, onion))
      .map((each) => each.subarray(onion - inner));
    if (!isLast) {
      if (id.kind === 2) this.#end(id);
      return this.#given(found.reverse());
    }
    this.#end(id);
    if (id.kind === 2) {
      if (this.behaviour === "lying") return new Uint8Array(7);
      const tokens = inner === 0 ? [] : found.map((each) => each.slice(4));
      const filter = TokenFilter.build(tokens);
      return encodeFilters(Array(round.buckets).fill(filter));
    }
    return this.#given(
      found.map((each) => sealed(each.subarray(each.length - innerReply))),
    );
  }

  async answer(id: RoundId, replies: Bytes): Promise<Bytes> {
    const round = this.#rounds.get(roundName(id));
    if (round === undefined) throw unknown();
    if (round.step !== "closed" || round.isLast) {
      throw this.#outOfOrder("answer");
    }
    round.step = "answered";
    await this.#behave();
    this.#end(id);
    return this.#given(
      pieces(replies, round.sizes.innerReply).reverse().map(sealed),
    );
  }

  abort(id: RoundId): void {
    this.#end(id);
  }

  #begin(id: RoundId): FakeRound {
    const name = roundName(id);
    const settings = this.signed.findLast((each) =>
      each.kind === id.kind && indexIn(each, id.start) !== undefined
    );
    if (settings === undefined || this.#over.has(name)) throw unknown();
    const print = this.identity.fingerprint.toHex();
    const place = settings.mixes.findIndex(({ fingerprint }) =>
      fingerprint.toHex() === print
    );
    const behind = settings.mixes.length - 1 - place;
    const { kind, mode, buckets } = settings;
    const index = indexIn(settings, id.start)!;
    const round: FakeRound = {
      sizes: sizesOf(kind, mode, index, behind),
      isLast: behind === 0,
      buckets,
      added: [],
      step: "adding",
    };
    this.#rounds.set(name, round);
    return round;
  }

  #end(id: RoundId): void {
    this.#rounds.delete(roundName(id));
    this.#over.add(roundName(id));
  }

  async #behave(): Promise<void> {
    if (this.delay > 0) await this.#time.sleep(this.delay);
    if (this.behaviour === "gone") throw gone();
    if (this.behaviour === "silent") await new Promise(() => {});
    if (this.behaviour === "refusing") {
      throw new MixError("ERR_MIX_REFUSED", "Cannot go on: a test says so");
    }
  }

  #given(batch: readonly Bytes[]): Bytes {
    const size = batch[0]?.length ?? 0;
    const lies = this.behaviour === "lying" ? 1 : 0;
    const bytes = new Uint8Array(batch.length * size + lies);
    batch.forEach((each, index) => bytes.set(each, index * size));
    return bytes;
  }

  #outOfOrder(call: string): MixError {
    this.broken.push(`a call to ${call} a round came out of order`);
    return unknown();
  }
}

function pieces(batch: Bytes, size: number): Bytes[] {
  return Array.from(
    { length: size === 0 ? 0 : batch.length / size },
    (_, index) => batch.subarray(index * size, (index + 1) * size),
  );
}

/** A reply under a layer: 16 bytes longer. */
function sealed(reply: Bytes): Bytes {
  const bytes = new Uint8Array(reply.length + 16);
  bytes.set(reply, 16);
  return bytes;
}

function gone(): MixError {
  return new MixError("ERR_MIX_GONE", "Cannot reach a mix: a test says so");
}

function unknown(): MixError {
  return new MixError("ERR_MIX_ROUND", "Cannot go on: no such round");
}
