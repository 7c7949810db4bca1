/** Added to what somebody was late by, in milliseconds: the next time is as likely to be worse. */
const MARGIN = 50;
/** More helps nobody: a window is never that long before it is closed by something else. */
const LIMIT = 10_000;
/** Rounds in time after which a little is tried back. */
const TRUST_AFTER = 30;

/**
 * By how much onions go earlier than they need to, learnt from rounds that came too late. It looks at the
 * entry's answers alone, so that it says nothing of what was in the onions.
 */
export class Caution {
  #earlier = 0;
  #inTime = 0;

  /** By how much, in milliseconds. */
  get earlier(): number {
    return this.#earlier;
  }

  /** A round came `by` milliseconds too late. Whether anything has changed. */
  late(by: number): boolean {
    this.#inTime = 0;
    return this.#set(Math.min(LIMIT, this.#earlier + by + MARGIN));
  }

  /** A round came in time. Whether anything has changed. */
  inTime(): boolean {
    if (++this.#inTime < TRUST_AFTER) return false;
    this.#inTime = 0;
    const less = Math.floor(this.#earlier * 0.8);
    return this.#set(less < MARGIN / 2 ? 0 : less);
  }

  /** The clock was found to be wrong: what was learnt by it is worth nothing. */
  forget(): void {
    this.#earlier = 0;
    this.#inTime = 0;
  }

  #set(earlier: number): boolean {
    const changes = earlier !== this.#earlier;
    this.#earlier = earlier;
    return changes;
  }
}
