import type { PrivacyLoss } from "./budget.ts";

/** From here on (odds times 20: a guess of 50 % becomes 95 %) nothing is promised to people any more. */
const EPSILON_LIMIT = 3;
/** More often than this, and an exception is none. */
const DELTA_LIMIT = 0.01;

/** Whether the loss is so large that it must not be called private: ε above 3, or δ above 1 %. */
export function isWorthless({ epsilon, delta }: PrivacyLoss): boolean {
  return !(epsilon <= EPSILON_LIMIT && delta <= DELTA_LIMIT);
}

/**
 * What a loss means, as one sentence for people. Every number in it is rounded so that it promises less.
 */
export function lossInWords(loss: PrivacyLoss): string {
  const { epsilon, delta } = loss;
  if (epsilon === Infinity) {
    return "Nothing hides from the mixes who talks to whom: they add no noise.";
  }
  if (delta > DELTA_LIMIT) {
    return "This is worth nothing: with a chance of " +
      `${
        delta >= 1 ? "100" : percent(delta)
      } % the noise hides nothing at all.`;
  }
  const guess = `a guess of 50 % that you talk may become ${
    percent(1 / (1 + Math.exp(-epsilon)))
  } %`;
  if (isWorthless(loss)) {
    return "This is worth little or nothing by now: to one who runs every mix " +
      `but one and watches all lines, ${guess}.`;
  }
  if (epsilon === 0) {
    return "Nothing has been learnt yet, not even by one who runs every mix but one.";
  }
  return "One who runs every mix but one and watches all lines can multiply " +
    `the odds of a guess by ${factor(epsilon)} at most: ${guess}` +
    (delta === 0 ? "." : `, except once in ${times(delta)} cases.`);
}

/** In whole percent, rounded up, and never the certainty that there is not. */
function percent(chance: number): string {
  const whole = Math.ceil(chance * 100);
  return whole < 100 ? `${whole}` : "more than 99";
}

/** e^epsilon with two digits behind the point, rounded up. */
function factor(epsilon: number): string {
  return (Math.ceil(Math.exp(epsilon) * 100) / 100).toFixed(2);
}

/** How often something happens, as a round number that is not too large: 1, 2 or 5 and zeros. */
function times(delta: number): string {
  const often = 1 / delta;
  const power = 10 ** Math.floor(Math.log10(often));
  const step = [5, 2, 1].find((digit) => digit * power <= often) ?? 1;
  return Math.min(step * power, 1e9).toLocaleString("en-US");
}
