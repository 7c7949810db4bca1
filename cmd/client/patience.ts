/** Nothing has come for too long. */
export class StallError extends Error {}

/** Gives up a request when nothing comes for too long, or the person does not want it any more. */
export class Patience {
  /** Fires when it is given up. */
  readonly signal: AbortSignal;
  readonly #stalled = new AbortController();
  readonly #milliseconds: number;

  /**
   * @param milliseconds for anything to come.
   * @param signal of the person.
   */
  constructor(milliseconds: number, signal: AbortSignal) {
    this.#milliseconds = milliseconds;
    this.signal = AbortSignal.any([signal, this.#stalled.signal]);
  }

  /** Waits for something to come. */
  async within<T>(work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      const seconds = Math.round(this.#milliseconds / 1_000);
      this.#stalled.abort(
        new StallError(`Nothing has come for ${seconds} seconds`),
      );
    }, this.#milliseconds);
    try {
      return await work;
    } catch (error) {
      throw this.#stalled.signal.aborted ? this.#stalled.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }
}
