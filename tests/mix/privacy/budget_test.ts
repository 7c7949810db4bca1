import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { NoiseLevel } from "../../../lib/mix/noise/noise_level.ts";
import { NOISE_LEVELS } from "../../../lib/mix/noise/noise_level.ts";
import type { PrivacyLoss } from "../../../lib/mix/privacy/budget.ts";
import {
  lossAfter,
  lossPerRound,
  noiseOfChain,
  PrivacyBudget,
} from "../../../lib/mix/privacy/budget.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import { noiseProbabilities } from "../statistics/discrete_laplace.ts";

const PAPER: NoiseLevel = { mean: 300_000, scale: 13_800 };

/** Whether `value` is `shown` when rounded to two digits. */
function isShownAs(value: number, shown: number): boolean {
  return Number(value.toPrecision(2)) === shown;
}

function assertClose(value: number, expected: number, within: number): void {
  assert(Math.abs(value - expected) <= within, `${value}, not ${expected}`);
}

Deno.test("S3.6: the loss of a round is that of Vuvuzela's Theorem 1", () => {
  for (
    const [level, epsilon, delta] of [
      [{ mean: 100, scale: 3 }, 1.3, 6.5e-15],
      [NOISE_LEVELS.small, 0.027, 2.1e-9],
      [NOISE_LEVELS.strong, 0.004, 2.1e-9],
      [PAPER, 0.00029, 3.6e-10],
    ] as const
  ) {
    const loss = lossPerRound(level);
    assert(isShownAs(loss.epsilon, epsilon), `${loss.epsilon}`);
    assert(isShownAs(loss.delta, delta), `${loss.delta}`);
  }
});

Deno.test("S3.6: the loss of many rounds is that of the published table", () => {
  for (
    const [level, rounds, epsilon] of [
      [NOISE_LEVELS.small, 100, 1.4],
      [NOISE_LEVELS.small, 1_000, 4.8],
      [NOISE_LEVELS.small, 10_000, 20],
      [NOISE_LEVELS.strong, 100, 0.19],
      [NOISE_LEVELS.strong, 1_000, 0.62],
      [NOISE_LEVELS.strong, 10_000, 2.1],
      [PAPER, 100, 0.014],
      [PAPER, 1_000, 0.044],
      [PAPER, 10_000, 0.14],
      // The paper's own: ln 2 and 10^-4 are enough for 200,000 rounds.
      [PAPER, 200_000, 0.64],
    ] as const
  ) {
    const loss = lossAfter(rounds, level);
    assert(isShownAs(loss.epsilon, epsilon), `${rounds}: ${loss.epsilon}`);
    assert(loss.delta < 1e-4);
  }
  assert(lossAfter(200_000, PAPER).epsilon < Math.LN2);
  assert(lossAfter(100, { mean: 100, scale: 3 }).epsilon > 100);
});

Deno.test("S3.6: of the two ways to add up, the one with the smaller loss counts", () => {
  const level = NOISE_LEVELS.strong;
  const { epsilon, delta } = lossPerRound(level);
  // 2 k ln(1/d) is above k² until k = 2 ln(10^5), 23.03.
  for (const rounds of [1, 2, 22, 23]) {
    const loss = lossAfter(rounds, level);
    assertClose(loss.epsilon, rounds * epsilon, 1e-12);
    assertClose(loss.delta, rounds * delta, 1e-20);
  }
  for (const rounds of [24, 25, 1_000]) {
    const loss = lossAfter(rounds, level);
    assertClose(
      loss.epsilon,
      epsilon * Math.sqrt(2 * rounds * Math.log(1e5)) +
        rounds * epsilon * (Math.exp(epsilon) - 1),
      1e-12,
    );
    assertClose(loss.delta, rounds * delta + 1e-5, 1e-15);
    assert(loss.epsilon < rounds * epsilon);
  }
});

Deno.test("S3.6: a smaller slack costs more", () => {
  const losses = [1e-3, 1e-5, 1e-9].map((slack) =>
    lossAfter(1_000, NOISE_LEVELS.strong, slack)
  );
  const epsilons = losses.map((loss) => loss.epsilon);
  assertEquals(epsilons, epsilons.toSorted((a, b) => a - b));
  assert(losses[0]!.delta > losses[1]!.delta);
  for (const slack of [0, 1, -1, 2, NaN]) {
    assertThrows(() => lossAfter(1, NOISE_LEVELS.strong, slack), RangeError);
  }
});

Deno.test("S3.6: without noise everything can be learnt, from the first round on", () => {
  assertEquals(lossPerRound(NOISE_LEVELS.none), {
    epsilon: Infinity,
    delta: 1,
  });
  for (const rounds of [1, 1_000]) {
    assertEquals(lossAfter(rounds, NOISE_LEVELS.none), {
      epsilon: Infinity,
      delta: 1,
    });
  }
  for (const level of [NOISE_LEVELS.none, NOISE_LEVELS.strong]) {
    assertEquals(lossAfter(0, level), { epsilon: 0, delta: 0 });
  }
  // Nor is it forgotten when noise comes.
  const budget = new PrivacyBudget();
  budget.spend(lossPerRound(NOISE_LEVELS.none));
  budget.spend(lossPerRound(NOISE_LEVELS.strong), 10);
  assertEquals(budget.rounds, 11);
  assertEquals(budget.spent(), { epsilon: Infinity, delta: 1 });
});

Deno.test("S3.6: noise with a mean below 2 hides nothing for sure", () => {
  assertEquals(lossPerRound({ mean: 0, scale: 10 }).delta, 1);
  assertEquals(lossPerRound({ mean: 2, scale: 10 }).delta, 1);
  assert(lossPerRound({ mean: 3, scale: 10 }).delta < 1);
});

const levels = fc.record({
  mean: fc.nat(1_000_000),
  scale: fc.integer({ min: 1, max: 100_000 }),
});

Deno.test("S3.6: the loss never shrinks by a round more or a level less, and rounds add up one by one", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(levels, fc.nat(50)), { maxLength: 6 }),
    (parts) => {
      const atOnce = new PrivacyBudget();
      const oneByOne = new PrivacyBudget();
      let before: PrivacyLoss = { epsilon: 0, delta: 0 };
      for (const [level, rounds] of parts) {
        atOnce.spend(lossPerRound(level), rounds);
        for (let i = 0; i < rounds; i++) oneByOne.spend(lossPerRound(level));
        const { epsilon, delta } = atOnce.spent();
        assert(epsilon >= before.epsilon && delta <= 1);
        assertClose(
          oneByOne.spent().epsilon,
          epsilon,
          1e-9 * Math.max(1, epsilon),
        );
        before = { epsilon, delta };
      }
      assertEquals(atOnce.rounds, oneByOne.rounds);
    },
  ));
});

Deno.test("S3.6: counts of rounds that are none are refused", () => {
  for (const rounds of [-1, 0.5, NaN, Infinity]) {
    assertThrows(() => lossAfter(rounds, NOISE_LEVELS.lab), RangeError);
  }
});

Deno.test("S3.6: of a chain, only the weakest noise of those before the last counts", () => {
  const { none, lab, small, strong } = NOISE_LEVELS;
  for (
    const [chain, counted] of [
      [[], none],
      [[strong], none],
      [[strong, none], strong],
      [[strong, strong, none], strong],
      [[strong, small, strong], small],
      [[lab, small, strong], lab],
      [[none, strong, strong], none],
      [[{ mean: 3_000, scale: 150 }, { mean: 2_000, scale: 150 }, none], {
        mean: 2_000,
        scale: 150,
      }],
    ] as const
  ) {
    assertEquals(noiseOfChain(chain), counted);
  }
});

/**
 * The smallest δ with which two worlds cannot be told apart by more than ε, from all that can be seen: the
 * definition of differential privacy, added up. World two has `first` more of one count and `second` more
 * of another.
 */
function exactDelta(
  one: readonly number[],
  first: number,
  other: readonly number[],
  second: number,
  epsilon: number,
): number {
  const odds = Math.exp(epsilon);
  let there = 0;
  let back = 0;
  for (let a = 0; a < one.length + first; a++) {
    for (let b = 0; b < other.length + second; b++) {
      const p = (one[a] ?? 0) * (other[b - second] ?? 0);
      const q = (one[a - first] ?? 0) * (other[b] ?? 0);
      there += Math.max(0, p - odds * q);
      back += Math.max(0, q - odds * p);
    }
  }
  return Math.max(there, back);
}

Deno.test("S3.7: what the last mix counts at the drops tells talking from not talking as the meter says", () => {
  for (
    const [mean, scale] of [[20, 5], [40, 5], [21, 4], [60, 7], [9, 1]] as const
  ) {
    const most = mean + 40 * scale;
    // As exchangeNoise draws: half of an odd mean is rounded up.
    const singles = noiseProbabilities(mean, scale, most);
    const pairs = noiseProbabilities(Math.ceil(mean / 2), scale / 2, most);
    const { epsilon, delta } = lossPerRound({ mean, scale });
    // Two singles more or one pair more. A count that only the cut at `most` makes is e^-40 likely.
    const found = exactDelta(singles, 2, pairs, 1, epsilon);
    assert(found <= delta, `${mean}, ${scale}: ${found} > ${delta}`);
    // The promise is not made by asking too little: less ε would not do.
    assert(exactDelta(singles, 2, pairs, 1, epsilon * 0.8) > delta);
  }
});

Deno.test("S3.8: what the last mix counts in the buckets tells calling from not calling as the meter says", () => {
  for (const [mean, scale] of [[20, 5], [40, 5], [31, 3]] as const) {
    const bucket = noiseProbabilities(mean, scale, mean + 40 * scale);
    const { epsilon, delta } = lossPerRound({ mean, scale }, RoundKind.DIALING);
    assert(exactDelta(bucket, 1, bucket, 1, epsilon) <= delta);
    assert(exactDelta(bucket, 1, bucket, 1, epsilon * 0.8) > delta);
  }
});
