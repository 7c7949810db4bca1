/** Greatest mean of noise. */
export const MEAN_LIMIT = 1_000_000;
/** Greatest scale of noise. */
export const SCALE_LIMIT = 100_000;

/** How much noise a mix adds to a round; see Vuvuzela (SOSP 2015) §4.2 for what it is worth. */
export interface NoiseLevel {
  /** Mean of the noise onions that are alone at their drop; there are half as many pairs. 0 to 1,000,000. */
  readonly mean: number;
  /** Scale b of their Laplace distribution; half of it for pairs. 0 to 100,000; 0 only for a mean of 0. */
  readonly scale: number;
}

/** Levels with a name, from the one for a laboratory to what costs a machine of its own. */
export const NOISE_LEVELS: Readonly<
  Record<"none" | "lab" | "small" | "strong", NoiseLevel>
> = {
  none: { mean: 0, scale: 0 },
  lab: { mean: 20, scale: 5 },
  small: { mean: 3_000, scale: 150 },
  strong: { mean: 20_000, scale: 1_000 },
};
