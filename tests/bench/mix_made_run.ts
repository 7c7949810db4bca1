import { ChainRound } from "../../lib/mix/coordinator/chain_round.ts";
import { RunMaker } from "../../lib/mix/coordinator/run_maker.ts";
import { EXCHANGE_PLAN } from "../../lib/mix/coordinator/schedule.ts";
import { SYSTEM_TIMERS } from "../../lib/mix/mix_timers.ts";
import { ClientCircuit, wrapOnion } from "../../lib/mix/layer/mod.ts";
import type { WrappedOnion } from "../../lib/mix/layer/mod.ts";
import type { MixPeer } from "../../lib/mix/mix_peer.ts";
import { RoundKind, RunMode } from "../../lib/mix/round.ts";
import { keyOf } from "../../lib/mix/settings/run_settings.ts";
import type { RunSettings } from "../../lib/mix/settings/run_settings.ts";
import { verifySettings } from "../../lib/mix/settings/signed_settings.ts";
import { EXCHANGE_BYTES, sizesOf } from "../../lib/mix/sizes.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { inParallel } from "./connecting.ts";

const TOGETHER = 32;
/** What comes in from clients at a time, in onions. */
const CHUNK = 60;
/** So many replies of every round are opened. */
const CHECKED = 25;
/** Runs begin so much later than they are made, so that no round of them is over before it is measured. */
const AHEAD = 900_000;

/** How a round went. */
export interface Passed {
  /** From the first onion that is handed in to the last reply, in seconds. */
  readonly seconds: number;
  /** From when no more is handed in. */
  readonly afterWindow: number;
  /** What each mix took of that, with its connection, in seconds. */
  readonly durations: readonly number[];
}

/** A run that mixes have signed, with all the onions that clients hand in. */
export class MadeRun {
  readonly #mixes: readonly MixPeer[];
  readonly #settings: RunSettings;
  readonly #onions: readonly Bytes[];
  /** The first onions of each round, and what opens their replies. */
  readonly #wrapped: readonly (readonly WrappedOnion[])[];

  private constructor(
    mixes: readonly MixPeer[],
    settings: RunSettings,
    rounds: readonly { onions: Bytes; wrapped: WrappedOnion[] }[],
  ) {
    this.#mixes = mixes;
    this.#settings = settings;
    this.#onions = rounds.map(({ onions }) => onions);
    this.#wrapped = rounds.map(({ wrapped }) => wrapped);
  }

  /** Has a run signed, of so many rounds of so many onions, and makes these. */
  static async make(
    coordinator: Bytes,
    mixes: readonly MixPeer[],
    mode: RunMode,
    onions: number,
    rounds: number,
  ): Promise<MadeRun> {
    const maker = new RunMaker({
      coordinator,
      chain: () => Promise.resolve(mixes),
      patience: 60_000,
      timers: SYSTEM_TIMERS,
    }, EXCHANGE_PLAN);
    const { period } = EXCHANGE_PLAN;
    const { document } = await maker.make(() => ({
      kind: RoundKind.EXCHANGE,
      mode,
      first: SYSTEM_TIMERS.now() + AHEAD,
      count: rounds,
      period,
    }), new AbortController().signal);
    const settings = await verifySettings(
      document,
      (fingerprint) =>
        mixes.map(({ identity }) => identity).find((identity) =>
          identity.fingerprint.toHex() === fingerprint.toHex()
        ),
    );
    const made = [];
    const circuits: ClientCircuit[] = [];
    for (let index = 0; index < rounds; index++) {
      made.push(await makeOnions(settings, index, onions, circuits));
    }
    return new MadeRun(mixes, settings, made);
  }

  /** Takes a round there and back. */
  async pass(index: number): Promise<Passed> {
    const { kind, mode, first, period } = this.#settings;
    const sizes = this.#mixes.map((_, place) =>
      sizesOf(kind, mode, index, this.#mixes.length - 1 - place)
    );
    const round = new ChainRound({
      id: { kind, start: first + index * period },
      mixes: this.#mixes,
      sizes,
      timers: { ...SYSTEM_TIMERS, now: () => performance.now() },
    });
    const onions = this.#onions[index]!;
    const chunk = CHUNK * sizes[0]!.onion;
    const begin = performance.now();
    for (let at = 0; at < onions.length; at += chunk) {
      round.add(onions.subarray(at, at + chunk));
    }
    const closed = performance.now();
    const { result, durations } = await round.run();
    const end = performance.now();
    await this.#check(index, result);
    return {
      seconds: (end - begin) / 1_000,
      afterWindow: (end - closed) / 1_000,
      durations: durations.map((each) => each / 1_000),
    };
  }

  /** Some of the replies open. */
  async #check(index: number, replies: Bytes): Promise<void> {
    const { kind, mode, mixes } = this.#settings;
    const { reply } = sizesOf(kind, mode, index, mixes.length - 1);
    for (const [i, { openReply }] of this.#wrapped[index]!.entries()) {
      await openReply(replies.slice(i * reply, (i + 1) * reply));
    }
  }
}

async function makeOnions(
  settings: RunSettings,
  index: number,
  count: number,
  circuits: ClientCircuit[],
): Promise<{ onions: Bytes; wrapped: WrappedOnion[] }> {
  const { kind, mode, first, period, mixes } = settings;
  const { onion: size } = sizesOf(kind, mode, index, mixes.length - 1);
  const round = { kind, start: first + index * period };
  const chain = mixes.map((_, place) => keyOf(settings, place, index));
  const onions = new Uint8Array(count * size);
  const kept: WrappedOnion[] = [];
  const wrap = async (i: number): Promise<WrappedOnion> => {
    if (mode === RunMode.CIRCUITS && index === 0) {
      const { circuit, ...wrapped } = await ClientCircuit.setUp(chain, round);
      circuits[i] = circuit;
      return wrapped;
    }
    const payload = randomBytes(EXCHANGE_BYTES);
    return mode === RunMode.CIRCUITS
      ? await circuits[i]!.wrap(payload, index)
      : await wrapOnion(payload, chain, round);
  };
  await inParallel(count, TOGETHER, async (i) => {
    const wrapped = await wrap(i);
    onions.set(wrapped.onion, i * size);
    if (i < CHECKED) kept[i] = wrapped;
  });
  return { onions, wrapped: kept };
}
