import type { RandomSource } from "../../protocol/mod.ts";
import { randomBelow } from "../../protocol/mod.ts";
import { MEAN_LIMIT, SCALE_LIMIT } from "./noise_level.ts";

/**
 * How much noise: `mean` plus a draw from the discrete Laplace distribution, and never less than 0.
 * The distribution gives the integer x a probability in proportion to exp(-|x| * divisor / scale).
 *
 * The draw is exact and uses integers only: Algorithm 2 of Canonne, Kamath and Steinke, "The Discrete
 * Gaussian for Differential Privacy" (2020). Laplace noise made from floating-point numbers leaves out
 * values, and which ones it leaves out tells what was hidden under it (Mironov, CCS 2012). How long a
 * draw takes depends on what is drawn: draw before the round, not while somebody measures.
 *
 * @param mean 0 to 1,000,000.
 * @param scale 1 to 100,000.
 * @param divisor the scale is `scale / divisor`, so that a half is exact: 1 or 2.
 * @throws {RangeError} if `mean` or `scale` is none of these.
 */
export function drawLaplace(
  mean: number,
  scale: number,
  random: RandomSource,
  divisor: 1 | 2 = 1,
): number {
  if (!Number.isInteger(mean) || mean < 0 || mean > MEAN_LIMIT) {
    throw new RangeError(`Cannot draw noise: a mean of ${mean}`);
  }
  if (!Number.isInteger(scale) || scale < 1 || scale > SCALE_LIMIT) {
    throw new RangeError(`Cannot draw noise: a scale of ${scale}`);
  }
  return Math.max(0, mean + discreteLaplace(scale, divisor, random));
}

/** The paper's t is `scale`, its s is `divisor`. */
function discreteLaplace(
  scale: number,
  divisor: number,
  random: RandomSource,
): number {
  for (;;) {
    const remainder = randomBelow(scale, random);
    if (!bernoulliExp(remainder, scale, random)) continue;
    let whole = 0;
    while (bernoulliExp(1, 1, random)) whole++;
    const size = Math.floor((remainder + scale * whole) / divisor);
    const isNegative = randomBelow(2, random) === 1;
    // Otherwise 0 would come twice as often as it should.
    if (isNegative && size === 0) continue;
    return isNegative ? -size : size;
  }
}

/**
 * True with probability exp(-`part` / `of`), for 0 <= `part` <= `of`: Algorithm 1 of the paper, which
 * adds up the power series by counting how long a run of ever less likely events lasts.
 */
function bernoulliExp(
  part: number,
  of: number,
  random: RandomSource,
): boolean {
  let length = 1;
  while (randomBelow(of * length, random) < part) length++;
  return length % 2 === 1;
}
