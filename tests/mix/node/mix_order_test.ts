import { assert, assertEquals } from "@std/assert";
import {
  LocalEngine,
  RunLayers,
  wrapOnion,
} from "../../../lib/mix/layer/mod.ts";
import { MixNode } from "../../../lib/mix/node/mix_node.ts";
import { NoiseAhead } from "../../../lib/mix/node/noise_ahead.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import { encodeSettings } from "../../../lib/mix/settings/run_settings.ts";
import { Permutation } from "../../../lib/mix/shuffle/permutation.ts";
import { sizesOf } from "../../../lib/mix/sizes.ts";
import { concat, generateDh, randomBytes } from "../../../lib/protocol/mod.ts";
import { someFields, somePlace } from "../settings/settings_fixture.ts";
import {
  FIRST,
  flat,
  MixChain,
  mixKeyring,
  pairedPayloads,
  roundOf,
  wrapAll,
} from "./mix_chain.ts";
import { VirtualTimers } from "../../support/virtual_timers.ts";

const ONIONS = 5;
const ROUNDS = 200;

Deno.test("S3.6: where an onion leaves a mix does not depend on where it came in, and noise is among the others", async () => {
  const timers = new VirtualTimers(FIRST - 8_000);
  const coordinator = randomBytes(32);
  const node = new MixNode({
    keyring: await mixKeyring(0),
    coordinator,
    noise: () => ({ mean: 1, scale: 1 }),
    timers,
  });
  const run = {
    kind: RoundKind.EXCHANGE,
    mode: RunMode.ROUNDS,
    first: FIRST,
    count: ROUNDS,
    period: 2_000,
  };
  const offer = await node.prepare(run);
  const behind = await generateDh();
  const onionKeys = offer.onionKeys.map(() => behind.publicKey);
  await node.sign(encodeSettings(someFields({
    ...run,
    coordinator,
    mixes: [
      { ...somePlace(0), ...offer, fingerprint: node.identity.fingerprint },
      { ...somePlace(0), onionKeys },
    ],
  })));
  /** How often the onion that came in there left as the which of those that are no noise. */
  const seen = Array.from(
    { length: ONIONS },
    () => new Array<number>(ONIONS).fill(0),
  );
  let noiseFirst = 0;
  let noiseLast = 0;
  for (let index = 0; index < ROUNDS; index++) {
    const round = { kind: run.kind, start: FIRST + index * run.period };
    const payloads = Array.from({ length: ONIONS }, () => randomBytes(512));
    const chain = [offer.onionKeys[index]!, behind.publicKey];
    const onions = await Promise.all(
      payloads.map((payload) => wrapOnion(payload, chain, round)),
    );
    await node.add(round, concat(...onions.map(({ onion }) => onion)));
    const layers = new RunLayers([new LocalEngine()]).begin({
      round,
      index: 0,
      sizes: sizesOf(run.kind, run.mode, index, 0),
      keyPair: behind,
      setsUp: false,
    });
    layers.add(await node.close(round));
    const { inner, count } = await layers.opened();
    const names = payloads.map((payload) => payload.toHex());
    const order = Array.from(
      { length: count },
      (_, i) => names.indexOf(inner.slice(i * 512, (i + 1) * 512).toHex()),
    );
    if (count > ONIONS && order[0] === -1) noiseFirst++;
    if (count > ONIONS && order.at(-1) === -1) noiseLast++;
    const real = order.filter((place) => place >= 0);
    assertEquals(real.toSorted(), [0, 1, 2, 3, 4]);
    for (const [out, place] of real.entries()) seen[place]![out]!++;
    node.abort(round);
  }
  // Each cell is binomial with a mean of 40 and a deviation of 5.7; 11 to 69 is 5 of these off.
  for (const hits of seen.flat()) assert(hits > 10 && hits < 70, `${seen}`);
  assert(noiseFirst > 10 && noiseLast > 10, `${noiseFirst}, ${noiseLast}`);
  await node.stop();
  assertEquals(timers.waiting, 0);
});

Deno.test("S3.5: what goes into the shuffle is overwritten when it is done", async () => {
  const seen: Uint8Array[] = [];
  const { apply } = Permutation.prototype;
  const { take } = NoiseAhead.prototype;
  Permutation.prototype.apply = function (batch, size) {
    seen.push(batch);
    assert(batch.some((byte) => byte !== 0));
    return apply.call(this, batch, size);
  };
  NoiseAhead.prototype.take = async function (index) {
    const noise = await take.call(this, index);
    seen.push(noise);
    return noise;
  };
  try {
    const chain = await MixChain.of(2);
    const settings = await chain.run();
    const onions = await wrapAll(settings, pairedPayloads(4));
    await chain.through(roundOf(settings), flat(onions));
    assertEquals(seen.length, 2);
    assert(seen.every((bytes) => bytes.every((byte) => byte === 0)));
    await chain.stop();
  } finally {
    Permutation.prototype.apply = apply;
    NoiseAhead.prototype.take = take;
  }
});
