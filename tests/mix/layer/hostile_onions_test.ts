import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { wrapOnion } from "../../../lib/mix/layer/mod.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import type { RoundId } from "../../../lib/mix/round.ts";
import { EXCHANGE_BYTES, SEALED_BYTES } from "../../../lib/mix/sizes.ts";
import {
  concat,
  CryptoError,
  importDh,
  importLayerKey,
  oneStepKdf,
  randomBytes,
  sealLayer,
  u64,
  utf8,
} from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { batchOf, layerChain, layersAt, pieces } from "./layer_chain.ts";
import type { LayerChain } from "./layer_chain.ts";

const { EXCHANGE, DIALING } = RoundKind;

/** A chain of one mix, its first round, and an onion of that round. */
async function oneOnion() {
  const chain = await layerChain(1, EXCHANGE, RunMode.ROUNDS);
  const round: RoundId = { kind: EXCHANGE, start: chain.run.first };
  const payload = randomBytes(EXCHANGE_BYTES);
  const wrapped = await wrapOnion(payload, chain.publicKeys, round);
  return { chain, round, payload, ...wrapped };
}

/** How many of the onions the only mix of the chain opens in the first round. */
async function openedOf(
  chain: LayerChain,
  onions: readonly Bytes[],
): Promise<number> {
  const layers = layersAt(chain, 0, 0);
  layers.add(concat(...onions));
  const { count } = await layers.opened();
  await layers.erase();
  return count;
}

/** An onion for the only mix whose ephemeral key is the base point of Curve25519, in some encoding. */
async function sealedTo(
  { publicKeys }: LayerChain,
  round: RoundId,
  ephemeral: Bytes,
  payload: Bytes,
): Promise<Bytes> {
  const publicKey = publicKeys[0]!;
  const info = concat(
    utf8("sotto mix onion v1"),
    Uint8Array.of(round.kind),
    u64(BigInt(round.start)),
    ephemeral,
    publicKey,
  );
  const key = await oneStepKdf(publicKey, info, 1);
  const nonce = new Uint8Array(12);
  const sealed = await sealLayer(await importLayerKey(key), nonce, payload);
  return concat(ephemeral, sealed);
}

function flipped(bytes: Bytes, bit: number): Bytes {
  const altered = bytes.slice();
  altered[bit >> 3]! ^= 1 << (bit & 7);
  return altered;
}

/** Points that X25519 maps to zero, in every encoding (RFC 7748 §6.1, all that Curve25519 has). */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

Deno.test("S3.6: an onion with any bit of its key flipped, or one of any byte behind it, is dropped", async () => {
  const { chain, onion } = await oneOnion();
  const keys = Array.from({ length: 8 * 32 }, (_, bit) => flipped(onion, bit));
  assertEquals(await openedOf(chain, keys), 0);
  assertEquals(await openedOf(chain, [...keys, onion]), 1);
  for (let at = 32; at < onion.length; at++) {
    // One by one: they begin alike, and only the first of those counts.
    assertEquals(await openedOf(chain, [flipped(onion, 8 * at + at % 8)]), 0);
  }
});

Deno.test("S3.6: the high bit of the ephemeral key, which X25519 ignores, makes no second onion of one", async () => {
  const { chain, onion } = await oneOnion();
  const twin = flipped(onion, 255);
  assertNotEquals(twin, onion);
  assertEquals(await openedOf(chain, [onion, twin]), 1);
  assertEquals(await openedOf(chain, [twin]), 0);
});

Deno.test("S3.6: another encoding of the same point makes no second onion of one", async () => {
  const { chain, round } = await oneOnion();
  // With the base point as ephemeral key, what both agree on is the mix's public key, which all know.
  const point = new Uint8Array(32);
  point[0] = 9;
  // u = 9 + p, which is below 2^255.
  const twin = Uint8Array.fromHex(LOW_ORDER[5]!);
  twin[0] = 0xf6;
  const payload = randomBytes(EXCHANGE_BYTES);
  const onion = await sealedTo(chain, round, point, payload);
  const otherwise = concat(twin, onion.slice(32));
  assertEquals(await openedOf(chain, [onion, otherwise]), 1);
  assertEquals(await openedOf(chain, [otherwise]), 0);
  // Whoever writes it that way from the beginning has an onion like any other.
  const own = await sealedTo(chain, round, twin, payload);
  assertEquals(await openedOf(chain, [own, own]), 1);
});

Deno.test("S3.6: a replay is dropped, within a batch, in a later one, and with another body", async () => {
  const { chain, onion, payload } = await oneOnion();
  const layers = layersAt(chain, 0, 0);
  layers.add(concat(onion, onion));
  layers.add(onion);
  layers.add(concat(onion.slice(0, 32), randomBytes(onion.length - 32)));
  const { inner, count } = await layers.opened();
  assertEquals(count, 1);
  assertEquals(inner, payload);
  const sealed = await layers.seal(randomBytes(SEALED_BYTES));
  const replies = pieces(sealed, SEALED_BYTES + 16);
  assertEquals(new Set(replies.map((reply) => reply.toHex())).size, 4);
});

Deno.test("S3.6: an onion is of one round: not of another time, kind, or mix", async () => {
  const { chain, round } = await oneOnion();
  const others: RoundId[] = [
    { ...round, start: round.start + 1 },
    { ...round, start: round.start - 2_000 },
    { ...round, kind: DIALING },
  ];
  const payload = randomBytes(EXCHANGE_BYTES);
  for (const other of others) {
    const { onion } = await wrapOnion(payload, chain.publicKeys, other);
    assertEquals(await openedOf(chain, [onion]), 0);
  }
  const stranger = await layerChain(1, EXCHANGE, RunMode.ROUNDS);
  const { onion } = await wrapOnion(payload, stranger.publicKeys, round);
  assertEquals(await openedOf(chain, [onion]), 0);
  assertEquals(await openedOf(stranger, [onion]), 1);
});

Deno.test("S3.6: layers are of one mix and in one order", async () => {
  const chain = await layerChain(2, EXCHANGE, RunMode.ROUNDS);
  const round: RoundId = { kind: EXCHANGE, start: chain.run.first };
  const { onion } = await wrapOnion(
    randomBytes(EXCHANGE_BYTES),
    chain.publicKeys.toReversed(),
    round,
  );
  const layers = layersAt(chain, 0, 0);
  layers.add(onion);
  assertEquals((await layers.opened()).count, 0);
  await layers.erase();
});

Deno.test("points of low order are dropped, and no chain may have one as key", async () => {
  const { chain, round } = await oneOnion();
  for (const point of LOW_ORDER) {
    for (const high of [0, 0x80]) {
      const bytes = Uint8Array.fromHex(point);
      bytes[31]! |= high;
      const onion = concat(bytes, randomBytes(EXCHANGE_BYTES + 16));
      assertEquals(await openedOf(chain, [onion]), 0);
      await assertRejects(
        () => wrapOnion(new Uint8Array(1), [bytes], round),
        CryptoError,
      );
    }
  }
});

Deno.test("chains whose keys are no keys are refused", async () => {
  const { round } = await oneOnion();
  for (const length of [0, 31, 33]) {
    await assertRejects(
      () => wrapOnion(new Uint8Array(1), [randomBytes(length)], round),
      CryptoError,
    );
  }
  await assertRejects(
    () => wrapOnion(new Uint8Array(1), [], round),
    RangeError,
  );
});

Deno.test("random bytes of every amount are dropped, and answered like onions", async () => {
  const { chain, onion } = await oneOnion();
  await fc.assert(
    fc.asyncProperty(fc.nat(20), async (count) => {
      const layers = layersAt(chain, 0, 0);
      layers.add(randomBytes(count * onion.length));
      assertEquals(await layers.opened(), {
        inner: new Uint8Array(0),
        count: 0,
      });
      const replies = await layers.seal(new Uint8Array(0));
      assertEquals(replies.length, count * (SEALED_BYTES + 16));
      const distinct = pieces(replies, SEALED_BYTES + 16)
        .map((reply) => reply.toHex());
      assertEquals(new Set(distinct).size, count);
    }),
    { numRuns: 15 },
  );
});

Deno.test("a reply that was altered anywhere, cut, or meant for somebody else does not open", async () => {
  const chain = await layerChain(2, EXCHANGE, RunMode.ROUNDS);
  const round: RoundId = { kind: EXCHANGE, start: chain.run.first };
  const onions = await Promise.all(
    [1, 2].map(() =>
      wrapOnion(randomBytes(EXCHANGE_BYTES), chain.publicKeys, round)
    ),
  );
  const first = layersAt(chain, 0, 0);
  first.add(batchOf(onions));
  const last = layersAt(chain, 1, 0);
  last.add((await first.opened()).inner);
  await last.opened();
  const between = await last.seal(randomBytes(2 * SEALED_BYTES));
  const [reply, other] = pieces(
    await first.seal(between),
    SEALED_BYTES + 32,
  ) as [Bytes, Bytes];
  const { openReply } = onions[0]!;
  await openReply(reply);
  await assertRejects(() => openReply(other), CryptoError);
  for (let at = 0; at < reply.length; at += 3) {
    await assertRejects(
      () => openReply(flipped(reply, 8 * at + at % 8)),
      CryptoError,
    );
    await assertRejects(() => openReply(reply.slice(0, at)), CryptoError);
  }
});

Deno.test("an onion is no reply, and a reply is no onion: each direction has its own nonce", async () => {
  const { chain, onion, openReply } = await oneOnion();
  await assertRejects(() => openReply(onion.slice(32)), CryptoError);
  const layers = layersAt(chain, 0, 0);
  layers.add(onion);
  await layers.opened();
  const reply = await layers.seal(randomBytes(SEALED_BYTES));
  const echoed = concat(onion.slice(0, 32), reply, randomBytes(16));
  assertEquals(await openedOf(chain, [echoed]), 0);
});

Deno.test("the same key pair in two places of a chain is no way around: each layer has its own key", async () => {
  const pair = await importDh(randomBytes(32));
  const chain = await layerChain(2, EXCHANGE, RunMode.ROUNDS);
  const twice = {
    ...chain,
    pairs: [pair, pair],
    publicKeys: [pair.publicKey, pair.publicKey],
  };
  const round: RoundId = { kind: EXCHANGE, start: chain.run.first };
  const payload = randomBytes(EXCHANGE_BYTES);
  const { onion } = await wrapOnion(payload, twice.publicKeys, round);
  const first = layersAt(twice, 0, 0);
  first.add(onion);
  const last = layersAt(twice, 1, 0);
  const { inner } = await first.opened();
  assertNotEquals(inner.slice(0, 32), onion.slice(0, 32));
  last.add(inner);
  assertEquals((await last.opened()).inner, payload);
  await first.erase();
  await last.erase();
});
