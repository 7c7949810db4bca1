/** Tells the time and lets it pass. */
export interface PaceClock {
  /** Milliseconds of a steady clock. */
  now(): number;
  /** Resolves after so many milliseconds; rejects with the reason of `signal` when that fires before. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** A shorter timer takes 2.1 ms all the same, so that waiting for less would slow down, not smooth. */
const SHORTEST_WAIT = 2;
/** Above 2^31 - 1 ms a timer fires at once, and a clock that was set is noticed after this at the latest. */
const LONGEST_WAIT = 60_000;
/** Time that passed unused is made up for within this, in milliseconds. */
const CREDIT = 50;

/**
 * Holds a flow of bytes to a rate. Whoever wants to send takes the bytes first; when the promise
 * resolves they may go. By any moment no more has gone than the rate allows, the last bytes taken,
 * and what goes in 50 ms. Take in small amounts: those of one call go at once.
 */
export class Pace {
  readonly #perMillisecond: number;
  readonly #clock: PaceClock;
  /** When all that was taken so far is paid for. */
  #paidAt = -Infinity;

  /**
   * A rate from now on.
   *
   * @param bytesPerSecond above 0.
   * @throws {RangeError} if it is not.
   */
  constructor(bytesPerSecond: number, clock: PaceClock = SYSTEM_CLOCK) {
    if (!(bytesPerSecond > 0)) {
      throw new RangeError(`Cannot keep a pace: ${bytesPerSecond} bytes/s`);
    }
    this.#perMillisecond = bytesPerSecond / 1_000;
    this.#clock = clock;
  }

  /**
   * Waits until what was taken before is paid for. Several may wait: they go in the order they came.
   *
   * @param bytes at least 0.
   * @param signal ends the wait; what was taken counts nevertheless.
   */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const goesAt = Math.max(this.#paidAt, this.#clock.now() - CREDIT);
    this.#paidAt = goesAt + bytes / this.#perMillisecond;
    for (;;) {
      const wait = goesAt - this.#clock.now();
      if (wait < SHORTEST_WAIT) return;
      await this.#clock.sleep(Math.min(wait, LONGEST_WAIT), signal);
    }
  }
}

const SYSTEM_CLOCK: PaceClock = {
  now: () => performance.now(),
  sleep(milliseconds, signal) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    }
    return promise;
  },
};
