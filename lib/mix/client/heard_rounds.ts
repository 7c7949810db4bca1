/** Whoever calls gives up after ten minutes: what was dialed since then can still be answered, in milliseconds. */
const RECENT = 600_000;

/** Dialing rounds that start after `after`, up to the one at `upTo`. */
export interface RoundSpan {
  /** In milliseconds since 1970 on the coordinator's clock. */
  readonly after: number;
  /** The same. */
  readonly upTo: number;
}

/**
 * Which dialing rounds were heard: all up to one, and, while those of a long absence are made up for, the
 * recent ones beyond them. It outlives connections.
 */
export class HeardRounds {
  #upTo: number;
  #recent: RoundSpan;

  /** @param upTo rounds that started until then were heard, in milliseconds since 1970. */
  constructor(upTo: number) {
    this.#upTo = upTo;
    this.#recent = { after: upTo, upTo };
  }

  /** All rounds that started until then were heard. */
  get upTo(): number {
    return this.gap === undefined
      ? Math.max(this.#upTo, this.#recent.upTo)
      : this.#upTo;
  }

  /** What was not heard, though later rounds were. */
  get gap(): RoundSpan | undefined {
    const { after } = this.#recent;
    return after > this.#upTo ? { after: this.#upTo, upTo: after } : undefined;
  }

  /**
   * After which round those begin that are to be heard first: where they ended, unless that is long ago;
   * what lies between becomes a gap then.
   */
  recentFrom(now: number): number {
    const from = Math.max(this.upTo, now - RECENT);
    if (this.#recent.upTo < from) {
      this.#upTo = this.upTo;
      this.#recent = { after: from, upTo: from };
    }
    return this.#recent.upTo;
  }

  /** The next recent round was heard. */
  heard(start: number): void {
    this.#recent = { ...this.#recent, upTo: start };
  }

  /** What is missing was heard up to `start`. */
  madeUp(start: number): void {
    this.#upTo = start;
  }
}
