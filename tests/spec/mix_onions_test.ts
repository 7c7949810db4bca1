import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ClientCircuit,
  LocalEngine,
  RunLayers,
  wrapOnion,
} from "../../lib/mix/layer/mod.ts";
import type { RoundLayers } from "../../lib/mix/layer/mod.ts";
import { RoundKind, RunMode } from "../../lib/mix/round.ts";
import type { RoundId } from "../../lib/mix/round.ts";
import { sizesOf } from "../../lib/mix/sizes.ts";
import { importDh } from "../../lib/protocol/mod.ts";
import {
  circuitLayer,
  clientLayer,
  mixLayer,
  openMixOnion,
  openMixReply,
  sealMixReply,
  wrapMixOnion,
} from "./naive_mix.ts";
import type { NaiveMixLayer } from "./naive_mix.ts";
import { dh, join, random, x25519Pair } from "./naive_primitives.ts";
import type { Octets, RawPair } from "./naive_primitives.ts";

const ROUND: RoundId = { kind: RoundKind.EXCHANGE, start: 1_800_000_002_000 };
const CALLS: RoundId = { kind: RoundKind.DIALING, start: 1_800_000_010_000 };
const EMPTY: Octets = new Uint8Array(0);

function pairs(count: number): RawPair[] {
  return Array.from({ length: count }, () => x25519Pair());
}

/** How the text has a chain of `chain` mixes pass an onion; what the last one finds. */
function pass(
  onion: Octets,
  chain: readonly RawPair[],
  round: RoundId,
): { payload: Octets; layers: NaiveMixLayer[] } {
  const layers: NaiveMixLayer[] = [];
  let inner = onion;
  for (const pair of chain) {
    const layer = mixLayer(pair, inner.slice(0, 32), round);
    layers.push(layer);
    inner = openMixOnion(inner, layer);
  }
  return { payload: inner, layers };
}

/** What a chain of the text gives back for `answer`. */
function sealAll(
  answer: Octets,
  layers: readonly NaiveMixLayer[],
  index = 0,
): Octets {
  return layers.reduceRight(
    (inner, layer) => sealMixReply(inner, layer, index),
    answer,
  );
}

/** A mix of ours with the keys of the text, at that place of a chain. */
async function mixOf(
  pair: RawPair | undefined,
  round: RoundId,
  {
    mode = RunMode.ROUNDS as RunMode,
    index = 0,
    behind = 0,
    run = new RunLayers([new LocalEngine()]),
  } = {},
): Promise<RoundLayers> {
  return run.begin({
    round,
    index,
    sizes: sizesOf(round.kind, mode, index, behind),
    keyPair: pair && await importDh(pair.secret),
    setsUp: mode === RunMode.CIRCUITS && index === 0,
  });
}

Deno.test("SPEC.md §13.3: an onion of ours passes a chain of the text, and its reply comes back", async () => {
  for (const round of [ROUND, CALLS]) {
    for (let length = 1; length <= 8; length++) {
      const chain = pairs(length);
      const payload = random(round === ROUND ? 512 : 36);
      const ours = await wrapOnion(
        payload,
        chain.map(({ open }) => open),
        round,
      );
      assertEquals(ours.onion.length, payload.length + 48 * length);
      const passed = pass(ours.onion, chain, round);
      assertEquals(passed.payload, payload);
      const answer = random(496);
      const reply = sealAll(answer, passed.layers);
      assertEquals(reply.length, 496 + 16 * length);
      assertEquals(await ours.openReply(reply), answer);
    }
  }
  assertEquals([656, 544], [
    sizesOf(RoundKind.EXCHANGE, RunMode.ROUNDS, 0, 2).onion,
    sizesOf(RoundKind.EXCHANGE, RunMode.ROUNDS, 0, 2).reply,
  ]);
});

Deno.test("SPEC.md §13.3: onions of the text pass a chain of ours, what is dropped gets a reply that opens nowhere", async () => {
  const chain = pairs(3);
  const clients = Array.from({ length: 5 }, () => {
    const layers = chain.map(({ open }) => clientLayer(open, ROUND));
    const payload = random(512);
    return { layers, payload, onion: wrapMixOnion(payload, layers) };
  });
  const otherRound = chain.map(({ open }) =>
    clientLayer(open, { ...ROUND, start: ROUND.start + 1 })
  );
  const added = [
    ...clients.map(({ onion }) => onion),
    clients[2]!.onion,
    random(656),
    wrapMixOnion(random(512), otherRound),
  ];
  const mixes = await Promise.all(
    chain.map((pair, i) => mixOf(pair, ROUND, { behind: 2 - i })),
  );
  let batch = join(...added);
  for (const mix of mixes) {
    mix.add(batch);
    const { inner, count } = await mix.opened();
    assertEquals(count, clients.length);
    batch = inner;
  }
  assertEquals(batch, join(...clients.map(({ payload }) => payload)));
  const answers = clients.map(() => random(496));
  let replies = join(...answers);
  for (const mix of mixes.toReversed()) replies = await mix.seal(replies);
  assertEquals(replies.length, 544 * added.length);
  const replyOf = (i: number) => replies.slice(544 * i, 544 * (i + 1));
  for (const [i, { layers }] of clients.entries()) {
    assertEquals(openMixReply(replyOf(i), layers), answers[i]);
  }
  for (let i = clients.length; i < added.length; i++) {
    for (const layers of [clients[2]!.layers, otherRound]) {
      await assertRejects(async () => await openMixReply(replyOf(i), layers));
    }
  }
});

Deno.test("SPEC.md §13.3: the same point in another encoding is another key, and an eph of low order none", async () => {
  const [pair] = pairs(1);
  const e = x25519Pair();
  const other = { secret: e.secret, open: e.open.slice() };
  other.open[31]! ^= 0x80;
  assertEquals(dh(pair!.secret, other.open), dh(e.secret, pair!.open));
  const layers = [
    clientLayer(pair!.open, ROUND, e),
    clientLayer(pair!.open, ROUND, other),
  ];
  assert(layers[0]!.key.toHex() !== layers[1]!.key.toHex());
  const payloads = [random(512), random(512)];
  const swapped = join(
    other.open,
    wrapMixOnion(random(512), [layers[0]!]).slice(32),
  );
  const mix = await mixOf(pair, ROUND);
  mix.add(join(
    wrapMixOnion(payloads[0]!, [layers[0]!]),
    join(new Uint8Array(32), random(528)),
    wrapMixOnion(payloads[1]!, [layers[1]!]),
  ));
  assertEquals((await mix.opened()).inner, join(...payloads));
  const again = await mixOf(pair, ROUND);
  again.add(swapped);
  assertEquals((await again.opened()).count, 0);
});

Deno.test("SPEC.md §13.4: a circuit of ours through a chain of the text", async () => {
  const chain = pairs(3);
  const setUp = await ClientCircuit.setUp(chain.map(({ open }) => open), ROUND);
  assertEquals(setUp.onion.length, 3 * 48);
  const { payload, layers } = pass(setUp.onion, chain, ROUND);
  assertEquals(payload, EMPTY);
  const stands = sealAll(EMPTY, layers);
  assertEquals(stands.length, 3 * 16);
  assertEquals(await setUp.openReply(stands), EMPTY);
  for (const index of [1, 2, 511]) {
    const said = random(512);
    const { onion, openReply } = await setUp.circuit.wrap(said, index);
    assertEquals(onion.length, 512 + 3 * 32);
    let inner = onion;
    for (const layer of layers.map(circuitLayer)) {
      assertEquals(inner.slice(0, 16), layer.id);
      inner = openMixOnion(inner, layer, index);
    }
    assertEquals(inner, said);
    const answer = random(496);
    assertEquals(await openReply(sealAll(answer, layers, index)), answer);
  }
});

Deno.test("SPEC.md §13.4: circuits of the text through a chain of ours", async () => {
  const chain = pairs(2);
  const mode = RunMode.CIRCUITS;
  const runs = chain.map(() => new RunLayers([new LocalEngine()]));
  const clients = [0, 1, 2].map(() =>
    chain.map(({ open }) => clientLayer(open, ROUND))
  );
  const round = async (index: number, onions: readonly Octets[]) => {
    const mixes = await Promise.all(
      chain.map((pair, i) =>
        mixOf(index === 0 ? pair : undefined, ROUND, {
          mode,
          index,
          behind: 1 - i,
          run: runs[i]!,
        })
      ),
    );
    let batch = join(...onions);
    let count = 0;
    for (const mix of mixes) {
      mix.add(batch);
      ({ inner: batch, count } = await mix.opened());
    }
    const answers = Array.from(
      { length: count },
      () => index === 0 ? EMPTY : random(496),
    );
    let replies = join(...answers);
    for (const mix of mixes.toReversed()) replies = await mix.seal(replies);
    const size = replies.length / onions.length;
    return {
      payloads: batch,
      answers,
      replyOf: (i: number) => replies.slice(size * i, size * (i + 1)),
    };
  };
  const first = await round(
    0,
    clients.map((layers) => wrapMixOnion(EMPTY, layers)),
  );
  for (const [i, layers] of clients.entries()) {
    assertEquals(openMixReply(first.replyOf(i), layers), EMPTY);
  }
  assertEquals(runs.map(({ circuits }) => circuits), [3, 3]);
  for (const index of [1, 300]) {
    const said = clients.map(() => random(512));
    const onions = clients.map((layers, i) =>
      wrapMixOnion(said[i]!, layers.map(circuitLayer), index)
    );
    // One of another round, and one of a circuit that is there already.
    const late = wrapMixOnion(
      random(512),
      clients[0]!.map(circuitLayer),
      index + 1,
    );
    const stranger = wrapMixOnion(
      random(512),
      chain.map(({ open }) => circuitLayer(clientLayer(open, ROUND))),
      index,
    );
    const { payloads, answers, replyOf } = await round(index, [
      ...onions,
      late,
      stranger,
    ]);
    assertEquals(payloads, join(...said));
    for (const [i, layers] of clients.entries()) {
      assertEquals(
        openMixReply(replyOf(i), layers.map(circuitLayer), index),
        answers[i],
      );
    }
  }
});
