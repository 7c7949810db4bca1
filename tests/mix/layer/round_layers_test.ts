import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import {
  LocalEngine,
  RunLayers,
  wrapOnion,
} from "../../../lib/mix/layer/mod.ts";
import type { WrappedOnion } from "../../../lib/mix/layer/mod.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import {
  DIAL_BYTES,
  EXCHANGE_BYTES,
  SEALED_BYTES,
  sizesOf,
} from "../../../lib/mix/sizes.ts";
import {
  concat,
  dh,
  generateDh,
  importLayerKey,
  MalformedError,
  openLayer,
  randomBytes,
  sealLayer,
  sha256,
  u64,
  utf8,
} from "../../../lib/protocol/mod.ts";
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

const { EXCHANGE, DIALING } = RoundKind;

function wrapAll(
  chain: LayerChain,
  payloads: readonly Bytes[],
): Promise<WrappedOnion[]> {
  return Promise.all(
    payloads.map((payload) =>
      wrapOnion(payload, chain.publicKeys, roundOf(chain))
    ),
  );
}

Deno.test("S3.6: an onion loses one layer at each mix, and its reply gains one, through 1 to 8 mixes", async () => {
  for (let length = 1; length <= 8; length++) {
    const chain = await layerChain(length, EXCHANGE, RunMode.ROUNDS);
    const payloads = Array.from({ length: 5 }, () => randomBytes(512));
    const onions = await wrapAll(chain, payloads);
    for (const { onion } of onions) {
      assertEquals(onion.length, EXCHANGE_BYTES + 48 * length);
      assertEquals(onion.length, sizesAt(chain, 0, 0).onion);
    }
    const round = new LayerRound(chain, 0);
    const found = await round.forward(batchOf(onions));
    assertEquals(pieces(found, EXCHANGE_BYTES), payloads);
    const answers = randomBytes(5 * SEALED_BYTES);
    const replies = pieces(
      await round.back(answers),
      SEALED_BYTES + 16 * length,
    );
    assertEquals(replies.length, 5);
    for (const [i, { openReply }] of onions.entries()) {
      assertEquals(
        await openReply(replies[i]!),
        answers.slice(i * SEALED_BYTES, (i + 1) * SEALED_BYTES),
      );
    }
  }
});

Deno.test("S3.6: dialing onions are passed on, and nothing comes back", async () => {
  for (const length of [1, 3, 8]) {
    const chain = await layerChain(length, DIALING, RunMode.ROUNDS);
    const payloads = [randomBytes(DIAL_BYTES), randomBytes(DIAL_BYTES)];
    const round = new LayerRound(chain, 0);
    const found = await round.forward(batchOf(await wrapAll(chain, payloads)));
    assertEquals(pieces(found, DIAL_BYTES), payloads);
    await round.erase();
  }
});

Deno.test("a layer is what the specification says, step by step with other functions", async () => {
  const mix = await generateDh();
  const round = { kind: EXCHANGE, start: 1_760_000_002_000 };
  const payload = randomBytes(EXCHANGE_BYTES);
  const { onion, openReply } = await wrapOnion(
    payload,
    [mix.publicKey],
    round,
  );
  const eph = onion.slice(0, 32);
  const derived = await sha256(concat(
    Uint8Array.of(0, 0, 0, 1),
    await dh(mix.privateKey, eph),
    utf8("sotto mix onion v1"),
    Uint8Array.of(1),
    u64(1_760_000_002_000n),
    eph,
    mix.publicKey,
  ));
  const key = await importLayerKey(derived);
  const nonce = new Uint8Array(12);
  assertEquals(await openLayer(key, nonce, onion.slice(32)), payload);
  nonce[0] = 1;
  const answer = randomBytes(SEALED_BYTES);
  assertEquals(await openReply(await sealLayer(key, nonce, answer)), answer);
});

Deno.test("no two onions have anything in common, even if what is in them is the same", async () => {
  const chain = await layerChain(2, EXCHANGE, RunMode.ROUNDS);
  const payload = new Uint8Array(EXCHANGE_BYTES);
  const [one, two] = await wrapAll(chain, [payload, payload]);
  for (let at = 0; at + 16 <= one!.onion.length; at += 16) {
    assertNotEquals(
      one!.onion.slice(at, at + 16),
      two!.onion.slice(at, at + 16),
    );
  }
});

Deno.test("whatever is good, bad or a replay: the good are found in order, and every slot is answered", async () => {
  const engines = [new LocalEngine(), new LocalEngine(), new LocalEngine()];
  const chain = await layerChain(2, EXCHANGE, RunMode.ROUNDS, engines);
  const count = 12;
  const payloads = Array.from(
    { length: count },
    () => randomBytes(EXCHANGE_BYTES),
  );
  const onions = await wrapAll(chain, payloads);
  const { onion: size, inner, innerReply, reply } = sizesAt(chain, 0, 0);
  const slot = fc.oneof(
    { weight: 3, arbitrary: fc.nat(count - 1) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(slot, { maxLength: 80 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 9 }),
      async (slots, steps) => {
        const batch = concat(
          ...slots.map((which) =>
            which === undefined ? randomBytes(size) : onions[which]!.onion
          ),
        );
        const isGood = slots.map((which, i) =>
          which !== undefined && slots.indexOf(which) === i
        );
        const layers = layersAt(chain, 0, 0);
        // As the onions come in: a few at a time.
        let at = 0;
        for (let step = 0; at < batch.length; step++) {
          const end = at + steps[step % steps.length]! * size;
          layers.add(batch.slice(at, end));
          at = end;
        }
        assertEquals(layers.added, slots.length);
        const opened = await layers.opened();
        const good = slots.filter((_, i) => isGood[i]);
        assertEquals(opened.count, good.length);
        assertEquals(opened.inner.length, good.length * inner);
        const last = layersAt(chain, 1, 0);
        last.add(opened.inner);
        const found = await last.opened();
        assertEquals(
          pieces(found.inner, EXCHANGE_BYTES),
          good.map((which) => payloads[which!]!),
        );
        const answers = randomBytes(good.length * SEALED_BYTES);
        const between = await last.seal(answers);
        assertEquals(between.length, good.length * innerReply);
        const replies = pieces(await layers.seal(between), reply);
        assertEquals(replies.length, slots.length);
        let answered = 0;
        for (const [i, which] of slots.entries()) {
          if (which === undefined) continue;
          const opening = onions[which]!.openReply(replies[i]!);
          if (isGood[i]) {
            const at = answered++ * SEALED_BYTES;
            assertEquals(await opening, answers.slice(at, at + SEALED_BYTES));
          } else await assertRejects(() => opening);
        }
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("thousands at once: no slot is mistaken for another, whatever ends first", async () => {
  const engines = [new LocalEngine(), new LocalEngine()];
  const chain = await layerChain(1, DIALING, RunMode.ROUNDS, engines);
  const payloads = Array.from({ length: 700 }, () => randomBytes(DIAL_BYTES));
  const layers = layersAt(chain, 0, 0);
  for (const { onion } of await wrapAll(chain, payloads)) layers.add(onion);
  const { inner, count } = await layers.opened();
  assertEquals(count, 700);
  assertEquals(inner, concat(...payloads));
  await layers.erase();
});

Deno.test("an empty round is a round", async () => {
  const chain = await layerChain(3, EXCHANGE, RunMode.ROUNDS);
  const round = new LayerRound(chain, 0);
  const nothing = new Uint8Array(0);
  assertEquals(await round.forward(nothing), nothing);
  assertEquals(await round.back(nothing), nothing);
});

Deno.test("the onions are copied: the caller may reuse its buffer", async () => {
  const chain = await layerChain(1, EXCHANGE, RunMode.ROUNDS);
  const payload = randomBytes(EXCHANGE_BYTES);
  const [{ onion }] = await wrapAll(chain, [payload]) as [WrappedOnion];
  const layers = layersAt(chain, 0, 0);
  layers.add(onion);
  onion.fill(0);
  assertEquals((await layers.opened()).inner, payload);
  await layers.erase();
});

Deno.test("batches that do not hold whole pieces are refused, and cost the round nothing", async () => {
  const chain = await layerChain(1, EXCHANGE, RunMode.ROUNDS);
  const payload = randomBytes(EXCHANGE_BYTES);
  const [{ onion, openReply }] = await wrapAll(chain, [payload]) as [
    WrappedOnion,
  ];
  const layers = layersAt(chain, 0, 0);
  for (const length of [1, onion.length - 1, onion.length + 1]) {
    assertThrows(() => layers.add(new Uint8Array(length)), MalformedError);
  }
  assertEquals(layers.added, 0);
  layers.add(onion);
  await layers.opened();
  for (const length of [0, 1, SEALED_BYTES - 1, SEALED_BYTES + 1, 992]) {
    await assertRejects(
      () => layers.seal(new Uint8Array(length)),
      MalformedError,
    );
  }
  const answer = randomBytes(SEALED_BYTES);
  assertEquals(await openReply(await layers.seal(answer)), answer);
});

Deno.test("what comes out of order is refused", async () => {
  const chain = await layerChain(1, EXCHANGE, RunMode.ROUNDS);
  const [{ onion }] = await wrapAll(chain, [randomBytes(EXCHANGE_BYTES)]) as [
    WrappedOnion,
  ];
  const answer = randomBytes(SEALED_BYTES);
  const layers = layersAt(chain, 0, 0);
  layers.add(onion);
  await assertRejects(() => layers.seal(answer), MixError);
  const opening = layers.opened();
  assertThrows(() => layers.add(onion), MixError);
  await assertRejects(() => layers.opened(), MixError);
  await assertRejects(() => layers.seal(answer), MixError);
  assertEquals((await opening).count, 1);
  assertThrows(() => layers.add(onion), MixError);
  await assertRejects(() => layers.opened(), MixError);
  await layers.seal(answer);
  await assertRejects(() => layers.seal(answer), MixError);
});

Deno.test("a round that is erased ends at once, and what waits for it is told", async () => {
  const chain = await layerChain(1, EXCHANGE, RunMode.ROUNDS);
  const payloads = Array.from({ length: 200 }, () => randomBytes(512));
  const batch = batchOf(await wrapAll(chain, payloads));

  const early = layersAt(chain, 0, 0);
  early.add(batch);
  const opening = early.opened();
  const erased = early.erase();
  await assertRejects(() => opening, MixError, "erased");
  await erased;
  assertThrows(() => early.add(batch), MixError);

  const late = layersAt(chain, 0, 0);
  late.add(batch);
  await late.opened();
  const sealing = late.seal(randomBytes(200 * SEALED_BYTES));
  const alsoErased = late.erase();
  await assertRejects(() => sealing, MixError, "erased");
  await alsoErased;
  await late.erase();
});

Deno.test("sizes that are not those of one layer are a mistake", async () => {
  const keyPair = await generateDh();
  const keys = { round: { kind: EXCHANGE, start: 0 }, index: 0, setsUp: false };
  const run = new RunLayers([new LocalEngine()]);
  const sizes = sizesOf(EXCHANGE, RunMode.ROUNDS, 0, 0);
  const ofCircuits = sizesOf(EXCHANGE, RunMode.CIRCUITS, 1, 0);
  assert(run.begin({ ...keys, sizes, keyPair }));
  assert(run.begin({ ...keys, sizes: ofCircuits }));
  assertThrows(
    () => run.begin({ ...keys, sizes: ofCircuits, keyPair }),
    RangeError,
  );
  assertThrows(() => run.begin({ ...keys, sizes }), RangeError);
});
