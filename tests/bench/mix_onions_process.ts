/**
 * The layers of three mixes, one after the other, in one process with the threads of one mix, as onions would
 * come in over a connection.
 * Argument: how many onions there are in a round. It makes them, then it is asked for a round of `mode`
 * (0 rounds, 1 circuits) through `mixes` of the chain, or for `raw` X25519, and says how many seconds that
 * took, and how much processor time.
 *
 * @module
 */
import { mixEngines } from "../../cmd/mix_engines.ts";
import {
  ClientCircuit,
  RunLayers,
  wrapOnion,
} from "../../lib/mix/layer/mod.ts";
import { RoundKind, RunMode } from "../../lib/mix/round.ts";
import { EXCHANGE_BYTES, sizesOf } from "../../lib/mix/sizes.ts";
import { concat, generateDh, randomBytes } from "../../lib/protocol/mod.ts";
import type { Bytes, DhKeyPair } from "../../lib/protocol/mod.ts";
import { inParallel } from "./connecting.ts";
import { cpuSeconds } from "./process_cost.ts";
import { answerQuestions, numberOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const MIXES = 3;
/** What the mixes have in common, as one machine does. */
const ENGINES = mixEngines();
const IN_FLIGHT = 64;
/** A body of a connection, in bytes. */
const BODY = 65_536;
const ROUND = { kind: RoundKind.EXCHANGE, start: 1_760_000_000_000 };

/** Onions of one round and what the mixes need for it. */
interface Work {
  readonly mode: RunMode;
  readonly index: number;
  readonly onions: Bytes;
  /** By mix. */
  readonly layers: readonly RunLayers[];
}

if (import.meta.main) await main(Number(Deno.args[0]));

async function main(count: number): Promise<void> {
  const pairs = await Promise.all(
    Array.from({ length: MIXES }, () => generateDh()),
  );
  const works: readonly Work[] = [
    await ownKeys(count, pairs),
    await circuits(count, pairs),
  ];
  await answerQuestions({}, async (question) => {
    if (question.ask === "raw") return await raw(count, pairs);
    const work = works[numberOf(question, "mode")]!;
    return await pass(work, pairs, numberOf(question, "mixes"));
  });
  for (const { layers } of works) for (const run of layers) run.erase();
}

async function ownKeys(
  count: number,
  pairs: readonly DhKeyPair[],
): Promise<Work> {
  const chain = pairs.map(({ publicKey }) => publicKey);
  const onions: Bytes[] = [];
  await inParallel(count, IN_FLIGHT, async () => {
    const payload = randomBytes(EXCHANGE_BYTES);
    onions.push((await wrapOnion(payload, chain, ROUND)).onion);
  });
  return {
    mode: RunMode.ROUNDS,
    index: 0,
    onions: concat(...onions),
    layers: pairs.map(() => new RunLayers(ENGINES)),
  };
}

async function circuits(
  count: number,
  pairs: readonly DhKeyPair[],
): Promise<Work> {
  const chain = pairs.map(({ publicKey }) => publicKey);
  const first: Bytes[] = [];
  const second: Bytes[] = [];
  await inParallel(count, IN_FLIGHT, async () => {
    const { onion, circuit } = await ClientCircuit.setUp(chain, ROUND);
    first.push(onion);
    const payload = randomBytes(EXCHANGE_BYTES);
    second.push((await circuit.wrap(payload, 1)).onion);
  });
  const layers = pairs.map(() => new RunLayers(ENGINES));
  const mode = RunMode.CIRCUITS;
  const setUp = { mode, index: 0, onions: concat(...first), layers };
  await pass(setUp, pairs, MIXES);
  return { mode, index: 1, onions: concat(...second), layers };
}

/** One round through the first `mixes` of the chain and back. */
async function pass(
  work: Work,
  pairs: readonly DhKeyPair[],
  mixes: number,
): Promise<Json> {
  const { mode, index } = work;
  const round = { ...ROUND, start: ROUND.start + index * 2_000 };
  const sizes = pairs.map((_, place) =>
    sizesOf(ROUND.kind, mode, index, MIXES - 1 - place)
  );
  const count = work.onions.length / sizes[0]!.onion;
  const layers = pairs.slice(0, mixes).map((keyPair, place) =>
    work.layers[place]!.begin({
      round,
      index,
      sizes: sizes[place]!,
      keyPair: index === 0 ? keyPair : undefined,
      setsUp: mode === RunMode.CIRCUITS && index === 0,
    })
  );
  const answers = randomBytes(count * sizes[mixes - 1]!.innerReply);
  return await timed(async () => {
    let batch = work.onions;
    for (const [place, mix] of layers.entries()) {
      const { onion } = sizes[place]!;
      const body = Math.floor(BODY / onion) * onion;
      for (let at = 0; at < batch.length; at += body) {
        mix.add(batch.subarray(at, at + body));
      }
      const opened = await mix.opened();
      if (opened.count !== count) {
        throw new Error("Cannot measure: onions were dropped");
      }
      batch = opened.inner;
    }
    let replies = answers;
    for (const mix of layers.toReversed()) replies = await mix.seal(replies);
  });
}

/** As many agreements as there are onions, with keys that are imported already. */
async function raw(
  count: number,
  [ours, theirs]: readonly DhKeyPair[],
): Promise<Json> {
  const { subtle } = crypto;
  const { publicKey } = theirs!;
  const peer = await subtle.importKey("raw", publicKey, "X25519", true, []);
  const algorithm = { name: "X25519", public: peer };
  return await timed(() =>
    inParallel(count, IN_FLIGHT, async () => {
      await subtle.deriveBits(algorithm, ours!.privateKey, 256);
    })
  );
}

async function timed(work: () => Promise<void>): Promise<Json> {
  const before = cpuSeconds(Deno.pid);
  const start = performance.now();
  await work();
  return {
    seconds: (performance.now() - start) / 1_000,
    cpu: cpuSeconds(Deno.pid) - before,
  };
}
