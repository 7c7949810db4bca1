import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { NOBODY } from "../dialing/buckets.ts";
import { DIAL_BYTES, DROP_ID_BYTES, EXCHANGE_BYTES } from "../sizes.ts";
import { drawLaplace } from "./laplace.ts";
import type { NoiseLevel } from "./noise_level.ts";

/**
 * The noise of a mix in an exchange round, as payloads of 512 bytes for the last mix: some are alone at
 * their drop, some come in pairs at one drop, so that neither count tells who met whom (Vuvuzela §4.2).
 * Drops and contents are random, as those of real messages look.
 *
 * There are max(0, Laplace(mean, scale)) singles and max(0, Laplace(mean / 2, scale / 2)) pairs. Half a
 * scale is drawn as it is, odd or not; half of an odd mean is rounded up, which is never less noise than
 * the privacy budget counts on. A scale of 0 is no noise.
 *
 * The payloads are parts of one buffer. Shuffle them with the rest: pairs stand behind each other here.
 *
 * @throws {RangeError} if the level is out of its bounds.
 */
export function exchangeNoise(
  level: NoiseLevel,
  random: RandomSource,
): Bytes[] {
  if (level.scale === 0) return [];
  const { mean, scale } = level;
  const singles = drawLaplace(mean, scale, random);
  const pairs = drawLaplace(Math.ceil(mean / 2), scale, random, 2);
  const all = random((singles + 2 * pairs) * EXCHANGE_BYTES);
  const payloads = cut(all, EXCHANGE_BYTES);
  for (let i = singles; i < payloads.length; i += 2) {
    payloads[i + 1]!.set(payloads[i]!.subarray(0, DROP_ID_BYTES));
  }
  return payloads;
}

/**
 * The noise of a mix in a dialing round, as payloads of 36 bytes for the last mix: for every bucket, and
 * for the one that nobody reads, max(0, Laplace(mean, scale)) random tokens. The last mix counts what
 * nobody reads as well, and without noise there it would count the people who do not call.
 *
 * The payloads are parts of one buffer. Shuffle them with the rest.
 *
 * @param buckets how many buckets the round has, at least 1.
 * @throws {RangeError} if the level is out of its bounds.
 */
export function dialNoise(
  level: NoiseLevel,
  buckets: number,
  random: RandomSource,
): Bytes[] {
  if (level.scale === 0) return [];
  const counts = Array.from(
    { length: buckets + 1 },
    () => drawLaplace(level.mean, level.scale, random),
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  const all = random(total * DIAL_BYTES);
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  let at = 0;
  counts.forEach((count, bucket) => {
    for (let i = 0; i < count; i++, at += DIAL_BYTES) {
      view.setUint32(at, bucket < buckets ? bucket : NOBODY);
    }
  });
  return cut(all, DIAL_BYTES);
}

function cut(all: Bytes, size: number): Bytes[] {
  return Array.from(
    { length: all.length / size },
    (_, i) => all.subarray(i * size, (i + 1) * size),
  );
}
