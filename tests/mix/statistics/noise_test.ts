import { assert } from "@std/assert";
import { exchangeAtDrops } from "../../../lib/mix/drop/dead_drops.ts";
import { drawLaplace } from "../../../lib/mix/noise/laplace.ts";
import { NOISE_LEVELS } from "../../../lib/mix/noise/noise_level.ts";
import { exchangeNoise } from "../../../lib/mix/noise/noise_payloads.ts";
import type { RandomSource } from "../../../lib/protocol/mod.ts";
import { concat } from "../../../lib/protocol/mod.ts";
import type { Fit } from "./chi_square.ts";
import { fit, isPlausible } from "./chi_square.ts";
import { noiseProbabilities } from "./discrete_laplace.ts";
import { seeded } from "./seeded.ts";

const ROUNDS = 500;
const DRAWS = 100_000;
const FEWER_DRAWS = 40_000;

/** How well the numbers fit to max(0, Laplace(mean, scale)). */
function noiseFit(
  drawn: readonly number[],
  mean: number,
  scale: number,
): Fit {
  const most = Math.ceil(mean + 20 * scale);
  const counts = Array<number>(most + 1).fill(0);
  for (const number of drawn) counts[Math.min(number, most)]!++;
  return fit(
    counts,
    noiseProbabilities(mean, scale, most).map((p) => p * drawn.length),
  );
}

function draws(count: number, draw: () => number): number[] {
  return Array.from({ length: count }, draw);
}

/** The counts that the last mix sees when nobody but one mix hands something in. */
function roundsOfNoise(mean: number, scale: number) {
  const random = seeded(500);
  return draws(ROUNDS, () => 0).map(() =>
    exchangeAtDrops(concat(...exchangeNoise({ mean, scale }, random)), random)
  );
}

Deno.test("S3.6: over 500 rounds the noise follows its distribution, singles and pairs", () => {
  const { mean, scale } = NOISE_LEVELS.lab;
  const rounds = roundsOfNoise(mean, scale);
  const singles = rounds.map((round) => round.singles);
  const pairs = rounds.map((round) => round.pairs);
  assert(isPlausible(noiseFit(singles, mean, scale)));
  assert(isPlausible(noiseFit(pairs, mean / 2, scale / 2)));
  assert(rounds.every((round) => round.crowds === 0));

  // 500 rounds are enough to find a scale or a mean that is wrong, and pairs drawn as singles are.
  assert(!isPlausible(noiseFit(singles, mean, scale / 2)));
  assert(!isPlausible(noiseFit(singles, mean, scale * 2)));
  assert(!isPlausible(noiseFit(singles, mean + 4, scale)));
  assert(!isPlausible(noiseFit(pairs, mean / 2, scale)));
});

Deno.test("S3.6: over 500 rounds the pairs say nothing about the singles, nor a round about the next", () => {
  const rounds = roundsOfNoise(101, 25);
  const singles = rounds.map((round) => Number(round.singles > 101));
  const pairs = rounds.map((round) => Number(round.pairs > 51));
  for (
    const [a, b, isIndependent] of [
      [singles, pairs, true],
      [singles.slice(1), singles.slice(0, -1), true],
      [pairs.slice(1), pairs.slice(0, -1), true],
      [singles, singles, false],
    ] as const
  ) {
    const cells = [0, 0, 0, 0];
    a.forEach((one, i) => cells[2 * one + b[i]!]!++);
    const share = (list: readonly number[], value: number) =>
      list.filter((one) => one === value).length / list.length;
    const expected = cells.map((_, cell) =>
      share(a, cell >> 1) * share(b, cell & 1) * a.length
    );
    assert(isPlausible(fit(cells, expected)) === isIndependent);
  }
});

Deno.test("S3.6: draws follow the exact distribution, halves and what is cut off at 0 included", () => {
  for (
    const [mean, scale, divisor] of [
      [20, 5, 1],
      [10, 5, 2],
      [0, 1, 1],
      [1, 1, 2],
      [3, 7, 1],
      [3_000, 150, 1],
      [1_500, 150, 2],
    ] as const
  ) {
    const random = seeded(mean + scale);
    const drawn = draws(
      FEWER_DRAWS,
      () => drawLaplace(mean, scale, random, divisor),
    );
    const found = noiseFit(drawn, mean, scale / divisor);
    assert(
      isPlausible(found),
      `${mean}, ${scale}/${divisor}: ${found.statistic} > ${found.degrees}`,
    );
  }
});

Deno.test("S3.6: the test of the distribution finds a wrong scale, a rounded Gaussian and a doubled 0", () => {
  const random = seeded(6);
  const [mean, scale] = [20, 5];
  const drawn = draws(DRAWS, () => drawLaplace(mean, scale, random));
  assert(isPlausible(noiseFit(drawn, mean, scale)));
  assert(!isPlausible(noiseFit(drawn, mean, scale * 1.05)));
  assert(!isPlausible(noiseFit(drawn, mean, scale / 1.05)));

  // Of the same variance as the discrete Laplace distribution.
  const q = Math.exp(-1 / scale);
  const deviation = Math.sqrt(2 * q) / (1 - q);
  const gaussian = draws(
    DRAWS,
    () => Math.max(0, Math.round(mean + deviation * normal(random))),
  );
  assert(!isPlausible(noiseFit(gaussian, mean, scale)));

  // What comes of it if the minus of a 0 is not thrown away.
  const doubled = draws(DRAWS, () => {
    const size = Math.abs(drawLaplace(1_000, scale, random) - 1_000);
    return Math.max(0, mean + (unit(random) < 0.5 ? size : -size));
  });
  assert(isPlausible(noiseFit(doubled, mean, scale)));
  const zeros = doubled.filter((n) => n === mean).length;
  const twice = [...doubled, ...Array<number>(zeros).fill(mean)];
  assert(!isPlausible(noiseFit(twice, mean, scale)));
});

/** Box and Muller's. */
function normal(random: RandomSource): number {
  return Math.sqrt(-2 * Math.log(1 - unit(random))) *
    Math.cos(2 * Math.PI * unit(random));
}

function unit(random: RandomSource): number {
  return new DataView(random(4).buffer).getUint32(0) / 2 ** 32;
}
