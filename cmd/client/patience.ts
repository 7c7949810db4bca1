/** Nothing has come for too long. */
export class StallError extends Error {}

/** Gives up a request when nothing moves for too long, or the person does not want it any more. */
export class Patience {
  /** Fires when it is given up. */
  readonly signal: AbortSignal;
  readonly #stalled = new AbortController();
  readonly #milliseconds: number;
  #movedAt = 0;

  /**
   * @param milliseconds in which something must move.
   * @param signal of the person.
   */
  constructor(milliseconds: number, signal: AbortSignal) {
    this.#milliseconds = milliseconds;
    this.signal = AbortSignal.any([signal, this.#stalled.signal]);
  }

  /** Something has moved. */
  moved(): void {
    this.#movedAt = performance.now();
  }

  /**
   * Waits for something to come.
   *
   * @throws {StallError} if it does not; `signal` has fired then.
   */
  async within<T>(work: Promise<T>): Promise<T> {
    this.moved();
    let timer: ReturnType<typeof setTimeout>;
    const look = () => {
      const left = this.#movedAt + this.#milliseconds - performance.now();
      if (left <= 0) this.#stalled.abort(this.#error());
      else timer = setTimeout(look, left);
    };
    timer = setTimeout(look, this.#milliseconds);
    try {
      return await work;
    } catch (error) {
      throw this.#stalled.signal.aborted ? this.#stalled.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #error(): StallError {
    const seconds = Math.round(this.#milliseconds / 1_000);
    return new StallError(`Nothing has come for ${seconds} seconds`);
  }
}
