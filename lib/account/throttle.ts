/** How many failures cost nothing, and the longest wait in seconds. */
export interface ThrottleLimits {
  readonly free: number;
  readonly longest: number;
}

/** A quiet day clears the slate. */
const FORGET_AFTER = 86_400;
/** Keys remembered; beyond it the longest quiet ones go first. */
const REMEMBERED = 100_000;

interface Record {
  failures: number;
  /** When the last failure was, in seconds. */
  at: number;
}

/**
 * Slows guessing down: after some failures every further one doubles the time until the next attempt
 * under the same key is looked at, up to a bound. It never locks anybody out, and an unknown name is
 * slowed like a known one.
 *
 * Times are seconds, from any steady clock.
 */
export class Throttle {
  readonly #limits: ThrottleLimits;
  readonly #records = new Map<string, Record>();

  constructor(limits: ThrottleLimits) {
    this.#limits = limits;
  }

  /** Seconds until an attempt under `key` is looked at; 0: now. */
  wait(key: string, now: number): number {
    const record = this.#records.get(key);
    if (record === undefined) return 0;
    const { failures, at } = record;
    const { free, longest } = this.#limits;
    if (failures <= free) return 0;
    const pause = Math.min(2 ** Math.min(failures - free, 30), longest);
    return Math.max(0, Math.ceil(at + pause - now));
  }

  failed(key: string, now: number): void {
    const before = this.#records.get(key);
    const failures = before === undefined || now - before.at > FORGET_AFTER
      ? 0
      : before.failures;
    // Deleted first, so that the map stays in the order of the last failure.
    this.#records.delete(key);
    this.#records.set(key, { failures: failures + 1, at: now });
    if (this.#records.size <= REMEMBERED) return;
    for (const oldest of this.#records.keys()) {
      this.#records.delete(oldest);
      break;
    }
  }

  succeeded(key: string): void {
    this.#records.delete(key);
  }
}
