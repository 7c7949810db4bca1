/** A call that nobody answers is dialed again after so many milliseconds, */
const REDIAL_AFTER = 60_000;
/** and given up after so many. So long, too, a call that was heard can be answered. */
export const CALL_LIMIT = 600_000;

/** When to dial somebody. */
export class OutgoingCall {
  readonly #since: number;
  #dueAt = -Infinity;
  #dialedAt: number | undefined;
  #pending: number | undefined;

  /** @param now in milliseconds since 1970. */
  constructor(now: number) {
    this.#since = now;
  }

  /** Start of the last dialing round that took a token, -Infinity if none has. */
  get dialedAt(): number {
    return this.#dialedAt ?? -Infinity;
  }

  /** Whether a token has been given to a round, unless the round is known not to have taken it. */
  get hasLeft(): boolean {
    return this.#dialedAt !== undefined || this.#pending !== undefined;
  }

  /** Whether to dial in the dialing round that starts then. */
  isDue(start: number): boolean {
    return start >= this.#dueAt;
  }

  /** Whether nobody has answered for too long. */
  isOver(now: number): boolean {
    return now - this.#since >= CALL_LIMIT;
  }

  /** A token was given to that round. */
  give(start: number): void {
    this.#pending = start;
    this.#dueAt = start + REDIAL_AFTER;
  }

  /** That round took it. */
  dialed(start: number): void {
    this.#dialedAt = start;
    this.#pending = undefined;
  }

  /** That round did not take it: the next one shall. */
  failed(): void {
    this.#pending = undefined;
    this.#dueAt = -Infinity;
  }
}
