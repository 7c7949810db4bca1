import type { NoiseLevel } from "../noise/noise_level.ts";
import { RoundKind } from "../round.ts";

/**
 * What somebody may learn who sees every connection and runs every mix but one: (ε, δ) of differential
 * privacy. Whatever he sees is at most e^ε times as likely if two people talk as if they do not, and
 * the other way round, except with probability δ.
 */
export interface PrivacyLoss {
  /** 0: nothing is learnt. `Infinity`: everything can be. */
  readonly epsilon: number;
  /** With which probability more than that is learnt: 0 to 1. */
  readonly delta: number;
}

/** The probability that composition gives away for a smaller ε, if nobody says another. */
const SLACK = 1e-5;

/**
 * What a round costs one conversation, or one call, if a single mix adds noise of this level.
 *
 * Exchange (Vuvuzela, SOSP 2015, Theorem 1): talking instead of not talking moves two singles to one
 * pair. The singles hide that with 2 / b, the pairs, whose scale is b / 2, with 2 / b more: ε = 4 / b, and
 * δ = exp((2 - mean) / b) for noise that would have been below 0. Dialing: one token moves from the
 * bucket that nobody reads to another, so two counts change by one: ε = 2 / b, δ = exp((1 - mean) / b).
 * The discrete distribution keeps both promises. Who has n conversations in one round pays n times.
 *
 * A scale of 0 is no noise: ε is `Infinity`, δ is 1.
 */
export function lossPerRound(
  noise: NoiseLevel,
  kind: RoundKind = RoundKind.EXCHANGE,
): PrivacyLoss {
  const { mean, scale } = noise;
  if (scale === 0) return { epsilon: Infinity, delta: 1 };
  const moved = kind === RoundKind.EXCHANGE ? 2 : 1;
  return {
    epsilon: 2 * moved / scale,
    delta: Math.min(1, Math.exp((moved - mean) / scale)),
  };
}

/**
 * What rounds cost together. The rounds may differ in their noise: levels change with the settings.
 */
export class PrivacyBudget {
  #rounds = 0;
  #epsilons = 0;
  #squares = 0;
  #drift = 0;
  #deltas = 0;

  /** How many rounds have been counted. */
  get rounds(): number {
    return this.#rounds;
  }

  /**
   * Counts so many rounds of this loss.
   *
   * @throws {RangeError} if `rounds` is no integer from 0 on.
   */
  spend(loss: PrivacyLoss, rounds = 1): void {
    if (!Number.isSafeInteger(rounds) || rounds < 0) {
      throw new RangeError(`Cannot count ${rounds} rounds`);
    }
    // Not even no rounds without noise: 0 times Infinity is no number.
    if (rounds === 0) return;
    const { epsilon, delta } = loss;
    this.#rounds += rounds;
    this.#epsilons += rounds * epsilon;
    this.#squares += rounds * epsilon ** 2;
    this.#drift += rounds * epsilon * Math.expm1(epsilon);
    this.#deltas += rounds * delta;
  }

  /**
   * What all of them cost: by advanced composition (Dwork and Roth 2014, Theorem 3.20; for k equal rounds
   * ε √(2k ln(1/d)) + kε(e^ε - 1), and kδ + d), or by adding up (kε and kδ), whichever has the smaller ε.
   *
   * @param slack the d of the theorem: above 0, below 1.
   * @throws {RangeError} if `slack` is not.
   */
  spent(slack = SLACK): PrivacyLoss {
    if (!(slack > 0 && slack < 1)) {
      throw new RangeError(`Cannot compose losses: a slack of ${slack}`);
    }
    const advanced = Math.sqrt(2 * this.#squares * -Math.log(slack)) +
      this.#drift;
    if (this.#epsilons <= advanced) {
      return { epsilon: this.#epsilons, delta: Math.min(1, this.#deltas) };
    }
    return { epsilon: advanced, delta: Math.min(1, this.#deltas + slack) };
  }
}

/**
 * What so many rounds of one noise level cost one conversation; see `lossPerRound` and `PrivacyBudget`.
 *
 * @throws {RangeError} if `rounds` is no integer from 0 on, or `slack` not between 0 and 1.
 */
export function lossAfter(
  rounds: number,
  noise: NoiseLevel,
  slack: number = SLACK,
): PrivacyLoss {
  const budget = new PrivacyBudget();
  budget.spend(lossPerRound(noise), rounds);
  return budget.spent(slack);
}

/**
 * The noise that can be counted on in a chain of which one mix is honest, and nobody knows which: the
 * level that costs most of those that are not last. The last mix adds none; if it is the honest one,
 * nobody sees the drops. A chain of a single mix has no noise: that mix must be trusted.
 *
 * @param levels of the mixes, in the order of the chain.
 */
export function noiseOfChain(levels: readonly NoiseLevel[]): NoiseLevel {
  const [first, ...others] = levels.slice(0, -1);
  if (first === undefined) return { mean: 0, scale: 0 };
  return others.reduce(
    (worst, level) =>
      costsMore(lossPerRound(level), lossPerRound(worst)) ? level : worst,
    first,
  );
}

function costsMore(a: PrivacyLoss, b: PrivacyLoss): boolean {
  return a.epsilon === b.epsilon ? a.delta > b.delta : a.epsilon > b.epsilon;
}
