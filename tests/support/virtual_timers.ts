interface Timer {
  readonly at: number;
  readonly due: () => void;
}

/**
 * Time that passes when a test says so. `pass` calls one timer after the other; those who must wait for
 * what a timer has set off go in steps.
 */
export class VirtualTimers {
  #now: number;
  readonly #timers: Timer[] = [];

  /** @param now milliseconds at the beginning. */
  constructor(now: number) {
    this.#now = now;
  }

  /** Timers that are set. */
  get waiting(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, due: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, milliseconds), due };
    // Those of the same moment in the order in which they were set.
    const behind = this.#timers.findIndex(({ at }) => at > timer.at);
    if (behind < 0) this.#timers.push(timer);
    else this.#timers.splice(behind, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** Lets time pass; what is due on the way is called at its time. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    while (this.step(end));
  }

  /** So much time has passed, and no timer was called meanwhile: a machine that slept. */
  skip(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Lets time pass up to the next timer and calls it, or, if none is due before, up to `end`; whether one was. */
  step(end: number): boolean {
    const next = this.#timers[0];
    if (next === undefined || next.at > end) {
      this.#now = Math.max(this.#now, end);
      return false;
    }
    this.#timers.shift();
    this.#now = Math.max(this.#now, next.at);
    next.due();
    return true;
  }
}
