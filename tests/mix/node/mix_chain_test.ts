import { assert, assertEquals } from "@std/assert";
import { NOBODY, parseFilters } from "../../../lib/mix/dialing/buckets.ts";
import { ThreadEngine } from "../../../lib/mix/layer/mod.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import { concat, randomBytes } from "../../../lib/protocol/mod.ts";
import {
  circuitsThrough,
  dialPayload,
  flat,
  keysAt,
  MixChain,
  opened,
  pairedPayloads,
  pairedReplies,
  roundOf,
  wrapAll,
} from "./mix_chain.ts";

/** Lengths of chains, and the engines of their mixes: one in the test's thread, or two with their own. */
const CHAINS = [
  ...[1, 2, 3, 4, 5].map((mixes) => [mixes, {}] as const),
  [3, { engines: [new ThreadEngine(), new ThreadEngine()] }] as const,
];

Deno.test("S3.6: what meets at a drop is exchanged through chains of 1 to 5 mixes, and nothing is left of the rounds", async () => {
  for (const [mixes, options] of CHAINS) {
    const chain = await MixChain.of(mixes, options);
    const settings = await chain.run();
    for (let index = 0; index < 3; index++) {
      const payloads = pairedPayloads(7);
      const onions = await wrapAll(settings, payloads, index);
      const replies = await chain.through(
        roundOf(settings, index),
        flat(onions),
      );
      assertEquals(await opened(onions, replies), pairedReplies(payloads));
    }
    chain.assertNothingLeft();
    await chain.stop();
  }
});

Deno.test("S3.6: the same through circuits", async () => {
  for (const [mixes, options] of CHAINS) {
    const chain = await MixChain.of(mixes, options);
    const settings = await chain.run({ mode: RunMode.CIRCUITS });
    const circuits = await circuitsThrough(chain, settings, 7);
    assert(chain.nodes.every(({ status }) => status.circuits >= 7));
    assert(chain.nodes.every(({ status }) => status.keys === 0));
    for (let index = 1; index < 3; index++) {
      const payloads = pairedPayloads(7);
      const onions = await Promise.all(
        circuits.map((circuit, i) => circuit.wrap(payloads[i]!, index)),
      );
      const replies = await chain.through(
        roundOf(settings, index),
        flat(onions),
      );
      assertEquals(await opened(onions, replies), pairedReplies(payloads));
    }
    chain.assertNothingLeft();
    await chain.stop();
  }
});

Deno.test("S3.7: tokens reach the filters of their buckets, with keys per round and through circuits", async () => {
  for (const mode of [RunMode.ROUNDS, RunMode.CIRCUITS]) {
    for (const mixes of [1, 2, 3]) {
      const chain = await MixChain.of(mixes);
      const settings = await chain.run({ kind: RoundKind.DIALING, mode });
      const token = randomBytes(32);
      const payloads = [
        dialPayload(2, token),
        dialPayload(NOBODY, randomBytes(32)),
        dialPayload(4, randomBytes(32)), // there are 4
      ];
      const first = mode === RunMode.CIRCUITS ? 1 : 0;
      const circuits = first === 1
        ? await circuitsThrough(chain, settings, 3)
        : undefined;
      for (let index = first; index < 3; index++) {
        const onions = circuits === undefined
          ? await wrapAll(settings, payloads, index)
          : await Promise.all(
            circuits.map((circuit, i) => circuit.wrap(payloads[i]!, index)),
          );
        const filters = parseFilters(
          await chain.forth(roundOf(settings, index), flat(onions)),
          4,
        );
        assertEquals(
          await Promise.all(filters.map((filter) => filter.has(token))),
          [false, false, true, false],
        );
      }
      chain.assertNothingLeft();
      await chain.stop();
    }
  }
});

Deno.test("rounds of both kinds are under way at once, and finish in any order", async () => {
  const chain = await MixChain.of(3);
  const exchange = await chain.run();
  const dialing = await chain.run({
    kind: RoundKind.DIALING,
    period: 10_000,
    first: exchange.first,
  });
  const payloads = [0, 1, 2].map(() => pairedPayloads(4));
  const onions = await Promise.all(
    payloads.map((each, index) => wrapAll(exchange, each, index)),
  );
  const dialed = await wrapAll(dialing, [dialPayload(0, randomBytes(32))]);
  const forth = [
    ...onions.map((each, index) =>
      chain.forth(roundOf(exchange, index), flat(each))
    ),
    chain.forth(roundOf(dialing), flat(dialed)),
  ];
  const replies = await Promise.all(forth);
  assertEquals(chain.nodes[0]!.status.rounds, 3);
  for (const index of [2, 0, 1]) {
    const back = await chain.back(roundOf(exchange, index), replies[index]!);
    assertEquals(
      await opened(onions[index]!, back),
      pairedReplies(payloads[index]!),
    );
  }
  await chain.stop();
});

Deno.test("a round without onions is nothing but noise, and comes back", async () => {
  const chain = await MixChain.of(3);
  const settings = await chain.run();
  let there = 0;
  const round = roundOf(settings);
  const replies = await chain.forth(round, new Uint8Array(0), (batch) => {
    there += batch.length;
    return batch;
  });
  assert(there > 0);
  assertEquals((await chain.back(round, replies)).length, 0);
  await chain.stop();
});

Deno.test("onions may come in many parts, while others are opened", async () => {
  const chain = await MixChain.of(2);
  const settings = await chain.run();
  const round = roundOf(settings);
  const payloads = pairedPayloads(300);
  const onions = await wrapAll(settings, payloads);
  const first = chain.peers[0]!;
  // Nothing is awaited: the calls themselves keep the order.
  const adding = onions.map(({ onion }) => first.add(round, onion));
  const batch = await first.close(round);
  await Promise.all(adding);
  await chain.peers[1]!.add(round, batch);
  const replies = await first.answer(round, await chain.peers[1]!.close(round));
  assertEquals(await opened(onions, replies), pairedReplies(payloads));
  await chain.stop();
});

Deno.test("S3.6: what does not open, or comes twice, is answered in its place and of the same size", async () => {
  const chain = await MixChain.of(3);
  const settings = await chain.run();
  const payloads = pairedPayloads(4);
  const onions = await wrapAll(settings, payloads);
  const strange = { ...onions[0]!, onion: randomBytes(656) };
  const late = (await wrapAll(settings, payloads.slice(0, 1), 1))[0]!;
  const all = [onions[0]!, strange, onions[1]!, onions[0]!, late, onions[2]!];
  const replies = await chain.through(roundOf(settings), flat(all));
  assertEquals(replies.length, all.length * 544);
  const expected = pairedReplies(payloads);
  assertEquals(await opened(all, replies), [
    expected[0],
    undefined,
    expected[1],
    undefined,
    undefined,
    payloads[2]!.slice(16),
  ]);
  await chain.stop();
});

Deno.test("S3.6: a third writer at a drop gets random bytes", async () => {
  const chain = await MixChain.of(2);
  const settings = await chain.run();
  const [a, b, c] = pairedPayloads(3);
  c!.set(a!.subarray(0, 16));
  const onions = await wrapAll(settings, [a!, b!, c!]);
  // At the last mix they are in another order: two of the three are exchanged.
  const replies = await opened(
    onions,
    await chain.through(roundOf(settings), flat(onions)),
  );
  const contents = [a!, b!, c!].map((each) => each.slice(16).toHex());
  const hits = replies.map((reply) => contents.indexOf(reply!.toHex()));
  assertEquals(hits.filter((hit) => hit === -1).length, 1);
  for (const [i, hit] of hits.entries()) {
    if (hit !== -1) assertEquals(hits[hit], i);
    assert(hit !== i);
  }
  await chain.stop();
});

Deno.test("a circuit counts once in a round, and strangers' circuits not at all", async () => {
  const chain = await MixChain.of(2);
  const settings = await chain.run({ mode: RunMode.CIRCUITS });
  const circuits = await circuitsThrough(chain, settings, 2);
  const payloads = pairedPayloads(2);
  const onions = await Promise.all(
    circuits.map((circuit, i) => circuit.wrap(payloads[i]!, 1)),
  );
  const strange = { ...onions[0]!, onion: randomBytes(512 + 64) };
  const again = {
    ...onions[1]!,
    onion: concat(onions[1]!.onion.subarray(0, 16), randomBytes(560)),
  };
  const all = [onions[0]!, onions[1]!, strange, again];
  const replies = await chain.through(roundOf(settings, 1), flat(all));
  assertEquals(await opened(all, replies), [
    ...pairedReplies(payloads),
    undefined,
    undefined,
  ]);
  assertEquals(keysAt(settings).length, 2);
  await chain.stop();
});
