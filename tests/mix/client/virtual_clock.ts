import { setImmediate } from "node:timers";
import type { RoundClock } from "../../../lib/mix/client/round_clock.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly call: () => void;
}

/** A clock that goes on only when it is told to, and lets everything else happen meanwhile. */
export class VirtualClock implements RoundClock {
  readonly #timers = new Set<Timer>();
  #now: number;
  #order = 0;
  /** What added to `now` gives the date. */
  date: number;

  constructor(now = 5_000, date = 1_800_000_000_000) {
    this.#now = now;
    this.date = date;
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.date;
  }

  after(milliseconds: number, call: () => void): () => void {
    const timer = {
      at: this.#now + Math.max(0, milliseconds),
      order: this.#order++,
      call,
    };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets so many milliseconds pass, timer by timer. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    await settle();
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= until)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
      await settle();
    }
    this.#now = until;
    await settle();
  }

  /** The clock stands `milliseconds` later at once, and only then the timers are looked at: a machine that slept. */
  async sleep(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    await this.advance(0);
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => setImmediate(() => resolve()));
  }
}

/** Waits, in real time, for what other threads work on. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("It did not come to that");
    await settle();
  }
}
