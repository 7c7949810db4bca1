/** First and longest wait between two attempts, in milliseconds. */
export interface BackoffRange {
  /** The first wait. */
  readonly first: number;
  /** The longest wait. */
  readonly longest: number;
}

/**
 * Waits that double from attempt to attempt, each shortened by up to half at random, so that the
 * clients of a server that was away do not all come back at one moment.
 */
export class Backoff {
  readonly #range: BackoffRange;
  readonly #random: () => number;
  #attempt = 0;

  /** `random` gives numbers from 0 to below 1. */
  constructor(
    range: BackoffRange = { first: 250, longest: 30_000 },
    random: () => number = Math.random,
  ) {
    this.#range = range;
    this.#random = random;
  }

  /** How long to wait before the next attempt, in milliseconds. */
  next(): number {
    const { first, longest } = this.#range;
    const full = Math.min(first * 2 ** Math.min(this.#attempt++, 30), longest);
    return Math.round(full * (0.5 + this.#random() / 2));
  }

  /** An attempt has worked: the next failure starts from the first wait again. */
  reset(): void {
    this.#attempt = 0;
  }
}
