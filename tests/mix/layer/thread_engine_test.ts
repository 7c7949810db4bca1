import { assertEquals, assertRejects } from "@std/assert";
import {
  ClientCircuit,
  ThreadEngine,
  wrapOnion,
} from "../../../lib/mix/layer/mod.ts";
import type { LayerEngine } from "../../../lib/mix/layer/mod.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import { EXCHANGE_BYTES, SEALED_BYTES } from "../../../lib/mix/sizes.ts";
import { concat, randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  batchOf,
  layerChain,
  LayerRound,
  layersAt,
  pieces,
  roundOf,
  sizesAt,
} from "./layer_chain.ts";
import type { LayerChain } from "./layer_chain.ts";

const { EXCHANGE } = RoundKind;

/** A chain of mixes whose threads end with the test. */
class ThreadChain implements Disposable {
  readonly chain: LayerChain;

  private constructor(chain: LayerChain) {
    this.chain = chain;
  }

  static async of(
    length: number,
    mode: RunMode,
    engines: readonly LayerEngine[] = [new ThreadEngine(), new ThreadEngine()],
  ): Promise<ThreadChain> {
    return new ThreadChain(await layerChain(length, EXCHANGE, mode, engines));
  }

  [Symbol.dispose](): void {
    for (const run of this.chain.layers) run.erase();
  }
}

Deno.test("S3.6: threads open a round and answer it as one engine would, the dropped included", async () => {
  using threads = await ThreadChain.of(2, RunMode.ROUNDS);
  const { chain } = threads;
  const payloads = Array.from({ length: 90 }, () => randomBytes(512));
  const onions = await Promise.all(
    payloads.map((payload) =>
      wrapOnion(payload, chain.publicKeys, roundOf(chain))
    ),
  );
  const first = layersAt(chain, 0, 0);
  const last = layersAt(chain, 1, 0);
  const size = onions[0]!.onion.length;
  // A replay, and noise that nobody has sealed, in the midst of them.
  first.add(concat(...onions.slice(0, 40).map(({ onion }) => onion)));
  first.add(concat(onions[3]!.onion, randomBytes(size)));
  for (const { onion } of onions.slice(40)) first.add(onion);
  const { inner, count } = await first.opened();
  assertEquals(count, payloads.length);
  last.add(inner);
  assertEquals((await last.opened()).inner, concat(...payloads));
  const answers = randomBytes(payloads.length * SEALED_BYTES);
  const replies = pieces(
    await first.seal(await last.seal(answers)),
    SEALED_BYTES + 32,
  );
  assertEquals(replies.length, payloads.length + 2);
  replies.splice(40, 2);
  for (const [i, { openReply }] of onions.entries()) {
    const answer = answers.subarray(i * SEALED_BYTES, (i + 1) * SEALED_BYTES);
    assertEquals(await openReply(replies[i]!), answer);
  }
});

Deno.test("S3.6: circuits stay in the thread that has set them up, and are found there", async () => {
  using threads = await ThreadChain.of(2, RunMode.CIRCUITS);
  const { chain } = threads;
  const made = await Promise.all(
    Array.from(
      { length: 50 },
      () => ClientCircuit.setUp(chain.publicKeys, roundOf(chain)),
    ),
  );
  const setUp = new LayerRound(chain, 0);
  await setUp.forward(batchOf(made));
  for (const reply of pieces(await setUp.back(new Uint8Array(0)), 32)) {
    assertEquals(reply.length, 32);
  }
  assertEquals(chain.layers.map(({ circuits }) => circuits), [50, 50]);
  const payloads = made.map(() => randomBytes(EXCHANGE_BYTES));
  const onions = await Promise.all(
    made.map(({ circuit }, i) => circuit.wrap(payloads[i]!, 1)),
  );
  const round = new LayerRound(chain, 1);
  assertEquals(await round.forward(batchOf(onions)), concat(...payloads));
  const answers = randomBytes(50 * SEALED_BYTES);
  const replies = pieces(await round.back(answers), SEALED_BYTES + 32);
  for (const [i, { openReply }] of onions.entries()) {
    const answer = answers.subarray(i * SEALED_BYTES, (i + 1) * SEALED_BYTES);
    assertEquals(await openReply(replies[i]!), answer);
  }
  chain.layers[0]!.erase();
  assertEquals(chain.layers.map(({ circuits }) => circuits), [0, 50]);
});

Deno.test("a round in threads that is erased ends, and what waits for it is told", async () => {
  using threads = await ThreadChain.of(1, RunMode.ROUNDS);
  const { chain } = threads;
  const onions = await roundOnions(chain, 100);
  const layers = layersAt(chain, 0, 0);
  layers.add(onions);
  const opening = layers.opened();
  const erasing = layers.erase();
  await assertRejects(() => opening, MixError, "erased");
  await erasing;
});

Deno.test("a thread that breaks down costs its rounds, and the next run has another", async () => {
  const engine = new ThreadEngine();
  using broken = await ThreadChain.of(1, RunMode.ROUNDS, [engine]);
  const layers = layersAt(broken.chain, 0, 0);
  layers.add(await roundOnions(broken.chain, 100));
  const opening = layers.opened();
  // Onions that are not whole are given to no engine by `RoundLayers`.
  const other = engine.begin();
  const breaking = other.begin({
    round: roundOf(broken.chain),
    index: 0,
    sizes: sizesAt(broken.chain, 0, 0),
    keyPair: broken.chain.pairs[0]!,
    setsUp: false,
  }).open(new Uint8Array(1));
  for (const failing of [breaking, opening]) {
    const error = await assertRejects(() => failing, MixError, "thread");
    assertEquals(error.code, "ERR_MIX_GONE");
  }
  await layers.erase();
  const next = layersAt(broken.chain, 0, 0);
  next.add(await roundOnions(broken.chain, 1));
  await assertRejects(() => next.opened(), MixError, "thread");
  await next.erase();
  other.erase();

  using whole = await ThreadChain.of(1, RunMode.ROUNDS, [engine]);
  const good = layersAt(whole.chain, 0, 0);
  good.add(await roundOnions(whole.chain, 3));
  assertEquals((await good.opened()).count, 3);
  await good.erase();
});

Deno.test("a thread ends with the last of its runs, and not before", async () => {
  const engine = new ThreadEngine();
  const first = await ThreadChain.of(1, RunMode.ROUNDS, [engine]);
  const second = await ThreadChain.of(1, RunMode.ROUNDS, [engine]);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const layers = layersAt(second.chain, 0, 0);
  layers.add(await roundOnions(second.chain, 2));
  assertEquals((await layers.opened()).count, 2);
  second[Symbol.dispose]();
  await assertRejects(
    () => layers.seal(randomBytes(2 * SEALED_BYTES)),
    MixError,
    "thread",
  );
  await layers.erase();
});

async function roundOnions(chain: LayerChain, count: number): Promise<Bytes> {
  return batchOf(
    await Promise.all(
      Array.from(
        { length: count },
        () => wrapOnion(randomBytes(512), chain.publicKeys, roundOf(chain)),
      ),
    ),
  );
}
