import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Circuits } from "../../../lib/mix/layer/circuits.ts";
import { acceptKey, onionContext } from "../../../lib/mix/layer/onion_key.ts";
import { ClientCircuit, LocalEngine } from "../../../lib/mix/layer/mod.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import {
  DIAL_BYTES,
  EXCHANGE_BYTES,
  SEALED_BYTES,
} from "../../../lib/mix/sizes.ts";
import {
  concat,
  CryptoError,
  openLayer,
  randomBytes,
} from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  batchOf,
  layerChain,
  LayerRound,
  layersAt,
  pieces,
  sizesAt,
} from "./layer_chain.ts";
import type { LayerChain } from "./layer_chain.ts";

const { EXCHANGE, DIALING } = RoundKind;
const NOTHING = new Uint8Array(0);

/** `count` circuits through a chain, set up in the run's first round. */
async function circuitsThrough(
  chain: LayerChain,
  count: number,
): Promise<ClientCircuit[]> {
  const { kind, first } = chain.run;
  const made = await Promise.all(
    Array.from(
      { length: count },
      () => ClientCircuit.setUp(chain.publicKeys, { kind, start: first }),
    ),
  );
  const round = new LayerRound(chain, 0);
  assertEquals(await round.forward(batchOf(made)), NOTHING);
  if (kind === EXCHANGE) {
    const size = 16 * chain.pairs.length;
    const replies = pieces(await round.back(NOTHING), size);
    assertEquals(replies.length, count);
    for (const [i, { openReply }] of made.entries()) {
      assertEquals(await openReply(replies[i]!), NOTHING);
    }
  } else await round.erase();
  return made.map(({ circuit }) => circuit);
}

/** How many onions the first mix opens in the run's round `index`. */
async function openedOf(
  chain: LayerChain,
  index: number,
  ...onions: Bytes[]
): Promise<number> {
  const layers = layersAt(chain, 0, index);
  layers.add(concat(...onions));
  const { count } = await layers.opened();
  await layers.erase();
  return count;
}

Deno.test("S3.6: circuits carry onions and replies in every round of a run, through 1 to 8 mixes", async () => {
  for (let length = 1; length <= 8; length++) {
    // Each circuit stays with the engine that has set it up.
    const engines = Array.from({ length }, () => new LocalEngine());
    const chain = await layerChain(
      length,
      EXCHANGE,
      RunMode.CIRCUITS,
      engines,
    );
    const circuits = await circuitsThrough(chain, 4);
    for (const { circuits: known } of chain.layers) assertEquals(known, 4);
    for (const index of [1, 2, 14]) {
      const payloads = circuits.map(() => randomBytes(EXCHANGE_BYTES));
      const onions = await Promise.all(
        circuits.map((circuit, i) => circuit.wrap(payloads[i]!, index)),
      );
      for (const { onion } of onions) {
        assertEquals(onion.length, EXCHANGE_BYTES + 32 * length);
        assertEquals(onion.length, sizesAt(chain, 0, index).onion);
      }
      const round = new LayerRound(chain, index);
      const found = await round.forward(batchOf(onions));
      assertEquals(pieces(found, EXCHANGE_BYTES), payloads);
      const answers = randomBytes(4 * SEALED_BYTES);
      const replies = pieces(
        await round.back(answers),
        SEALED_BYTES + 16 * length,
      );
      for (const [i, { openReply }] of onions.entries()) {
        assertEquals(
          await openReply(replies[i]!),
          answers.slice(i * SEALED_BYTES, (i + 1) * SEALED_BYTES),
        );
      }
    }
  }
});

Deno.test("S3.6: circuits carry dialing onions", async () => {
  const chain = await layerChain(3, DIALING, RunMode.CIRCUITS);
  const circuits = await circuitsThrough(chain, 3);
  const payloads = circuits.map(() => randomBytes(DIAL_BYTES));
  const onions = await Promise.all(
    circuits.map((circuit, i) => circuit.wrap(payloads[i]!, 1)),
  );
  const round = new LayerRound(chain, 1);
  assertEquals(
    pieces(await round.forward(batchOf(onions)), DIAL_BYTES),
    payloads,
  );
  await round.erase();
});

Deno.test("a layer of a circuit is what the specification says", async () => {
  const chain = await layerChain(1, EXCHANGE, RunMode.CIRCUITS);
  const round = { kind: EXCHANGE, start: chain.run.first };
  const { onion: first, circuit } = await ClientCircuit.setUp(
    chain.publicKeys,
    round,
  );
  const { key, circuitId } = await acceptKey(
    chain.pairs[0]!,
    first.slice(0, 32),
    onionContext(round),
  );
  const payload = randomBytes(EXCHANGE_BYTES);
  const { onion } = await circuit.wrap(payload, 258);
  assertEquals(onion.slice(0, 16), await circuitId());
  const nonce = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2);
  assertEquals(await openLayer(key, nonce, onion.slice(16)), payload);
});

Deno.test("what is known of circuits is found by their ids until they are erased, and not after", () => {
  const circuits = new Circuits<number>();
  circuits.set("aa", 1);
  circuits.set("bb", 0);
  assertEquals([circuits.get("aa"), circuits.get("bb")], [1, 0]);
  assertEquals([circuits.get("cc"), circuits.size], [undefined, 2]);
  circuits.erase();
  circuits.set("cc", 2);
  assertEquals([circuits.get("aa"), circuits.get("cc")], [
    undefined,
    undefined,
  ]);
  assertEquals(circuits.size, 0);
});

Deno.test("S3.6: one onion of a circuit counts in a round, and only in its own", async () => {
  const chain = await layerChain(1, EXCHANGE, RunMode.CIRCUITS);
  const [circuit] = await circuitsThrough(chain, 1) as [ClientCircuit];
  const payload = randomBytes(EXCHANGE_BYTES);
  const one = await circuit.wrap(payload, 1);
  const two = await circuit.wrap(payload, 2);
  assertEquals(await openedOf(chain, 1, one.onion, one.onion), 1);
  assertEquals(await openedOf(chain, 1, one.onion, two.onion), 1);
  assertEquals(await openedOf(chain, 1, two.onion, one.onion), 0);
  assertEquals(await openedOf(chain, 2, one.onion), 0);
  assertEquals(await openedOf(chain, 2, two.onion), 1);
  assertEquals(await openedOf(chain, 3, two.onion), 0);
});

Deno.test("a circuit seals once under each nonce, and never in the round that sets it up", async () => {
  const chain = await layerChain(2, EXCHANGE, RunMode.CIRCUITS);
  const [circuit] = await circuitsThrough(chain, 1) as [ClientCircuit];
  const payload = new Uint8Array(EXCHANGE_BYTES);
  for (const index of [0, -1, 1.5, NaN]) {
    await assertRejects(() => circuit.wrap(payload, index), RangeError);
  }
  const three = await circuit.wrap(payload, 3);
  const one = await circuit.wrap(payload, 1);
  assertEquals(three.onion.slice(0, 16), one.onion.slice(0, 16));
  assertNotEquals(three.onion.slice(16, 48), one.onion.slice(16, 48));
  for (const index of [1, 3]) {
    await assertRejects(() => circuit.wrap(payload, index), RangeError);
  }
});

Deno.test("onions of unknown circuits, of other runs, and altered ones are dropped and answered alike", async () => {
  const chain = await layerChain(1, EXCHANGE, RunMode.CIRCUITS);
  const [circuit] = await circuitsThrough(chain, 1) as [ClientCircuit];
  const other = await layerChain(1, EXCHANGE, RunMode.CIRCUITS);
  const [stranger] = await circuitsThrough(other, 1) as [ClientCircuit];
  const payload = randomBytes(EXCHANGE_BYTES);
  const { onion, openReply } = await circuit.wrap(payload, 1);
  const foreign = (await stranger.wrap(payload, 1)).onion;
  assertEquals(await openedOf(chain, 1, foreign, randomBytes(544)), 0);
  await fc.assert(
    fc.asyncProperty(fc.nat(8 * onion.length - 1), async (bit) => {
      const altered = onion.slice();
      altered[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(await openedOf(chain, 1, altered), 0);
    }),
    { numRuns: 200 },
  );
  const layers = layersAt(chain, 0, 1);
  layers.add(concat(foreign, onion, randomBytes(onion.length)));
  assertEquals(await layers.opened(), { inner: payload, count: 1 });
  const answer = randomBytes(SEALED_BYTES);
  const replies = pieces(await layers.seal(answer), SEALED_BYTES + 16);
  assertEquals(replies.length, 3);
  assertEquals(await openReply(replies[1]!), answer);
  await assertRejects(() => openReply(replies[0]!), CryptoError);
});

Deno.test("a circuit that a mix has not set up, or has forgotten, carries nothing", async () => {
  const chain = await layerChain(1, EXCHANGE, RunMode.CIRCUITS);
  const { kind, first } = chain.run;
  const { circuit, onion } = await ClientCircuit.setUp(chain.publicKeys, {
    kind,
    start: first + 2_000,
  });
  const payload = randomBytes(EXCHANGE_BYTES);
  // It was made for another run: the first round does not know it.
  assertEquals(await openedOf(chain, 0, onion), 0);
  assertEquals(chain.layers[0]!.circuits, 0);
  const early = await circuit.wrap(payload, 1);
  assertEquals(await openedOf(chain, 1, early.onion), 0);

  const [known] = await circuitsThrough(chain, 1) as [ClientCircuit];
  const good = await known.wrap(payload, 2);
  assertEquals(await openedOf(chain, 2, good.onion), 1);
  chain.layers[0]!.erase();
  assertEquals(await openedOf(chain, 2, good.onion), 0);
});

Deno.test("circuits that are erased while they are being set up are not kept", async () => {
  const chain = await layerChain(1, EXCHANGE, RunMode.CIRCUITS);
  const { kind, first } = chain.run;
  const made = await ClientCircuit.setUp(chain.publicKeys, {
    kind,
    start: first,
  });
  const layers = layersAt(chain, 0, 0);
  layers.add(made.onion);
  chain.layers[0]!.erase();
  await layers.erase();
  assertEquals(chain.layers[0]!.circuits, 0);
});

Deno.test("ids and ephemeral keys of a circuit differ from mix to mix", async () => {
  const chain = await layerChain(2, EXCHANGE, RunMode.CIRCUITS);
  const [circuit] = await circuitsThrough(chain, 1) as [ClientCircuit];
  const { onion } = await circuit.wrap(randomBytes(EXCHANGE_BYTES), 1);
  const layers = layersAt(chain, 0, 1);
  layers.add(onion);
  const { inner } = await layers.opened();
  assertNotEquals(inner.slice(0, 16), onion.slice(0, 16));
  await layers.erase();
});
