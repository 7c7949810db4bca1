import { assert, assertEquals, assertThrows } from "@std/assert";
import { NOBODY } from "../../../lib/mix/dialing/buckets.ts";
import { drawLaplace } from "../../../lib/mix/noise/laplace.ts";
import { NOISE_LEVELS } from "../../../lib/mix/noise/noise_level.ts";
import {
  dialNoise,
  exchangeNoise,
} from "../../../lib/mix/noise/noise_payloads.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { seeded } from "../statistics/seeded.ts";

function counted(names: readonly (string | number)[]): number[] {
  const counts = new Map<string | number, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts.values()];
}

function idOf(payload: Bytes): string {
  return payload.subarray(0, 16).toHex();
}

Deno.test("S3.6: noise of an exchange round is as many singles and pairs as were drawn", () => {
  for (const [mean, scale] of [[20, 5], [21, 5], [0, 3], [1, 1], [300, 15]]) {
    for (let seed = 0; seed < 20; seed++) {
      const level = { mean: mean!, scale: scale! };
      const payloads = exchangeNoise(level, seeded(seed));
      const random = seeded(seed);
      const singles = drawLaplace(level.mean, level.scale, random);
      const half = Math.ceil(level.mean / 2);
      const pairs = drawLaplace(half, level.scale, random, 2);

      assertEquals(payloads.length, singles + 2 * pairs);
      assert(payloads.every((payload) => payload.length === 512));
      const atDrops = counted(payloads.map(idOf));
      assertEquals(atDrops.filter((n) => n === 1).length, singles);
      assertEquals(atDrops.filter((n) => n === 2).length, pairs);
      assertEquals(atDrops.length, singles + pairs);
      // What lies at the drops is different everywhere, in pairs as well.
      const contents = payloads.map((payload) => payload.subarray(16).toHex());
      assertEquals(new Set(contents).size, payloads.length);
    }
  }
});

Deno.test("S3.6: every byte of a noise payload is random", () => {
  const payloads = exchangeNoise({ mean: 2_000, scale: 1 }, seeded(8));
  for (let at = 0; at < 512; at++) {
    const values = new Set(payloads.map((payload) => payload[at]));
    // 4,000 payloads, and 3,000 ids: hardly one of the 256 values is missing.
    assert(values.size > 250, `byte ${at}: ${values.size} values`);
  }
});

Deno.test("S3.6: noise of a dialing round is drawn for every bucket, and for the one that nobody reads", () => {
  const level = { mean: 12, scale: 3 };
  for (const buckets of [1, 2, 7]) {
    const payloads = dialNoise(level, buckets, seeded(buckets));
    const random = seeded(buckets);
    const expected = Array.from(
      { length: buckets + 1 },
      () => drawLaplace(level.mean, level.scale, random),
    );
    const found = Array<number>(buckets + 1).fill(0);
    const names = Array.from({ length: buckets }, (_, bucket) => bucket);
    for (const payload of payloads) {
      assertEquals(payload.length, 36);
      const bucket = new DataView(payload.buffer, payload.byteOffset)
        .getUint32(0);
      found[[...names, NOBODY].indexOf(bucket)]!++;
    }
    assertEquals(found, expected);
    const tokens = payloads.map((payload) => payload.subarray(4).toHex());
    assertEquals(new Set(tokens).size, payloads.length);
  }
});

Deno.test("S3.6: without a scale there is no noise, and every level with a name can be drawn", () => {
  assertEquals(exchangeNoise(NOISE_LEVELS.none, randomBytes), []);
  assertEquals(dialNoise(NOISE_LEVELS.none, 4, randomBytes), []);
  for (const level of [NOISE_LEVELS.lab, NOISE_LEVELS.small]) {
    const { mean, scale } = level;
    const { length } = exchangeNoise(level, randomBytes);
    assert(length > 0 && Math.abs(length - 2 * mean) < 40 * scale);
  }
});

Deno.test("S3.6: levels out of their bounds are refused", () => {
  for (
    const level of [
      { mean: -1, scale: 1 },
      { mean: 1_000_001, scale: 1 },
      { mean: 1, scale: -1 },
      { mean: 1, scale: 100_001 },
    ]
  ) {
    assertThrows(() => exchangeNoise(level, randomBytes), RangeError);
    assertThrows(() => dialNoise(level, 1, randomBytes), RangeError);
  }
});
