import { assert, assertEquals, assertRejects } from "@std/assert";
import { NOBODY } from "../../../lib/mix/dialing/buckets.ts";
import { exchangeAtDrops } from "../../../lib/mix/drop/dead_drops.ts";
import { LocalEngine, RunLayers } from "../../../lib/mix/layer/mod.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import { NoiseAhead, noiseLimit } from "../../../lib/mix/node/noise_ahead.ts";
import type { NoiseLevel } from "../../../lib/mix/noise/noise_level.ts";
import {
  dialNoise,
  exchangeNoise,
} from "../../../lib/mix/noise/noise_payloads.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import type { SettingsFields } from "../../../lib/mix/settings/settings_fields.ts";
import { DIAL_BYTES, sizesOf } from "../../../lib/mix/sizes.ts";
import {
  concat,
  CryptoError,
  generateDh,
  randomBytes,
} from "../../../lib/protocol/mod.ts";
import type {
  Bytes,
  DhKeyPair,
  RandomSource,
} from "../../../lib/protocol/mod.ts";
import { someFields, somePlace } from "../settings/settings_fixture.ts";

/** None of a round once in 10^8 times. */
const LEVEL: NoiseLevel = { mean: 40, scale: 2 };

/** Settings of two mixes, and the keys of the last one. */
async function chainOfTwo(
  changes: Partial<SettingsFields> = {},
  noise = LEVEL,
): Promise<{ fields: SettingsFields; keyPairs: DhKeyPair[] }> {
  const fields = someFields(changes);
  const keys = fields.mode === RunMode.CIRCUITS ? 1 : fields.count;
  const keyPairs = await Promise.all(
    Array.from({ length: keys }, () => generateDh()),
  );
  const onionKeys = keyPairs.map(({ publicKey }) => publicKey);
  const mixes = [
    { ...somePlace(keys), noise },
    { ...somePlace(0), onionKeys },
  ];
  return { fields: { ...fields, mixes }, keyPairs };
}

/** Random bytes, and the same ones again for whoever replays them. */
function recorded(): { random: RandomSource; replay: RandomSource } {
  const drawn: Bytes[] = [];
  let at = 0;
  return {
    random: (length) => {
      const bytes = randomBytes(length);
      drawn.push(bytes.slice());
      return bytes;
    },
    replay: (length) => {
      const bytes = drawn[at++]!;
      assertEquals(bytes.length, length);
      return bytes;
    },
  };
}

/** What the last mix finds in noise. */
async function open(
  fields: SettingsFields,
  index: number,
  onions: Bytes,
  keyPair: DhKeyPair | undefined,
  run = new RunLayers([new LocalEngine()]),
): Promise<Bytes> {
  const { kind, mode, first, period } = fields;
  const layers = run.begin({
    round: { kind, start: first + index * period },
    index: mode === RunMode.CIRCUITS ? index : 0,
    sizes: sizesOf(kind, mode, index, 0),
    keyPair,
    setsUp: mode === RunMode.CIRCUITS && index === 0,
  });
  layers.add(onions);
  const { inner, count } = await layers.opened();
  assertEquals(count, layers.added, "noise that does not open");
  return inner;
}

Deno.test("S3.6: the noise of a round is exactly what is drawn of the signed level, and opens at the mixes behind", async () => {
  const { fields, keyPairs } = await chainOfTwo();
  const { random, replay } = recorded();
  const noise = new NoiseAhead(fields, 0, random);
  for (let index = 0; index < 3; index++) {
    const onions = await noise.take(index);
    const payloads = await open(fields, index, onions, keyPairs[index]);
    const drawn = exchangeNoise(LEVEL, replay);
    assertEquals(payloads, concat(...drawn));
    const { singles, pairs, crowds } = exchangeAtDrops(payloads, randomBytes);
    assert(singles > 0 && pairs > 0);
    assertEquals([singles + 2 * pairs, crowds], [drawn.length, 0]);
  }
  await noise.erase();
});

Deno.test("S3.7: every bucket of a dialing round gets the noise that is drawn for it, and nobody's as well", async () => {
  const { fields, keyPairs } = await chainOfTwo({
    kind: RoundKind.DIALING,
    buckets: 3,
  });
  const { random, replay } = recorded();
  const noise = new NoiseAhead(fields, 0, random);
  const payloads = await open(fields, 0, await noise.take(0), keyPairs[0]);
  assertEquals(payloads, concat(...dialNoise(LEVEL, 3, replay)));
  const counts = new Map<number, number>();
  const view = new DataView(payloads.buffer);
  for (let at = 0; at < payloads.length; at += DIAL_BYTES) {
    const bucket = view.getUint32(at);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  assertEquals([...counts.keys()].sort(), [0, 1, 2, NOBODY].sort());
  await noise.erase();
});

Deno.test("S3.6: noise goes through circuits of its own, as many in a round as are drawn, and pairs stay with theirs", async () => {
  for (const kind of [RoundKind.EXCHANGE, RoundKind.DIALING]) {
    const { fields, keyPairs } = await chainOfTwo({
      kind,
      mode: RunMode.CIRCUITS,
      buckets: kind === RoundKind.DIALING ? 3 : 0,
    });
    const { random, replay } = recorded();
    const noise = new NoiseAhead(fields, 0, random);
    const run = new RunLayers([new LocalEngine()]);
    const setUp = await noise.take(0);
    await open(fields, 0, setUp, keyPairs[0], run);
    assertEquals(run.circuits, noiseLimit(LEVEL, fields));
    const ids: string[][] = [];
    for (const index of [1, 2]) {
      const onions = await noise.take(index);
      const payloads = await open(fields, index, onions, undefined, run);
      const drawn = kind === RoundKind.EXCHANGE
        ? exchangeNoise(LEVEL, replay)
        : dialNoise(LEVEL, 3, replay);
      assertEquals(payloads, concat(...drawn.toReversed()));
      const { onion: size } = sizesOf(kind, fields.mode, index, 0);
      ids.push(
        drawn.map((_, i) => onions.slice(i * size, i * size + 16).toHex()),
      );
    }
    // Those that are used are always the same: which is noise cannot be told from what comes and goes.
    const both = Math.min(ids[0]!.length, ids[1]!.length);
    assertEquals(ids[0]!.slice(0, both), ids[1]!.slice(0, both));
    await noise.erase();
  }
});

Deno.test("noise is made three rounds ahead and not more, whatever becomes of the rounds", async () => {
  const { fields } = await chainOfTwo({ count: 10 });
  const ten = Array.from({ length: 10 }, () => randomBytes(32));
  // Any point of the curve is a key, nearly.
  const mixes = fields.mixes.map((mix) => ({ ...mix, onionKeys: ten }));
  let draws = 0;
  const noise = new NoiseAhead({ ...fields, mixes }, 0, (length) => {
    if (length > 10_000) draws++;
    return randomBytes(length);
  });
  assertEquals(noise.held, 3);
  await noise.take(0);
  assertEquals(noise.held, 3);
  // Round 4 is begun before 1, 2 and 3; 1 will not be at all.
  await noise.take(4);
  assertEquals(noise.held, 6);
  assert((await noise.take(2)).length > 0);
  noise.drop(1);
  await assertRejects(() => noise.take(1), MixError);
  await assertRejects(() => noise.take(2), MixError);
  assert((await noise.take(3)).length > 0);
  assertEquals(noise.held, 3);
  await noise.take(9);
  noise.drop(5);
  noise.drop(6);
  noise.drop(7);
  assertEquals(noise.held, 0);
  // It was never drawn for round 8, nor twice for any.
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(draws, 9);
  await noise.erase();
});

Deno.test("without noise in the settings there is none", async () => {
  for (const mode of [RunMode.ROUNDS, RunMode.CIRCUITS]) {
    const { fields } = await chainOfTwo({ mode }, { mean: 0, scale: 0 });
    const noise = new NoiseAhead(fields, 0, randomBytes);
    for (let index = 0; index < 3; index++) {
      assertEquals(await noise.take(index), new Uint8Array(0));
    }
  }
});

Deno.test("noise that is erased while it is made does not come, and keys of low order make none", async () => {
  const { fields } = await chainOfTwo();
  const noise = new NoiseAhead(fields, 0, randomBytes);
  const taken = noise.take(0);
  const erasing = noise.erase();
  await assertRejects(() => taken, MixError);
  await assertRejects(() => noise.take(1), MixError);
  await erasing;

  const zeros = [0, 0, 0].map(() => new Uint8Array(32));
  const low = {
    ...fields,
    mixes: [fields.mixes[0]!, { ...fields.mixes[1]!, onionKeys: zeros }],
  };
  const none = new NoiseAhead(low, 0, randomBytes);
  await assertRejects(() => none.take(0), CryptoError);
  await none.erase();
});
