/** Lets so many pieces of work be under way at a time; the others wait, and go in the order they came. */
export class Turns {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param limit at least 1. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Does `work` when it is its turn; resolves or rejects as it does. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // A turn is handed on, so that nobody comes in between.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
