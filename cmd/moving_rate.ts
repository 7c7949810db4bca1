/** How long the rate looks back, in milliseconds. */
const WINDOW = 5_000;
/** Between two samples, in milliseconds. */
const SPACING = 100;
/** Nothing can be said of a shorter time, in milliseconds. */
const SHORTEST = 500;

/** How fast something grows, as an average over the last seconds. */
export class MovingRate {
  #samples: [Sample, ...Sample[]];

  /** @param at milliseconds of any clock; @param done what was there at the beginning. */
  constructor(at: number, done: number) {
    this.#samples = [{ at, done }];
  }

  /** Units per second when `done` is reached at `at`; undefined until half a second has passed. */
  measure(at: number, done: number): number | undefined {
    // The clock was set back.
    if (at < this.#samples.at(-1)!.at) this.#samples = [{ at, done }];
    if (at - this.#samples.at(-1)!.at >= SPACING) {
      this.#samples.push({ at, done });
    }
    while (this.#samples.length > 1 && this.#samples[1]!.at <= at - WINDOW) {
      this.#samples.shift();
    }
    const [oldest] = this.#samples;
    const elapsed = at - oldest.at;
    if (elapsed < SHORTEST) return undefined;
    return Math.max(0, done - oldest.done) / elapsed * 1_000;
  }
}

interface Sample {
  readonly at: number;
  readonly done: number;
}
