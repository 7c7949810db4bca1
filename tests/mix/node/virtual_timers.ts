import type { MixTimers } from "../../../lib/mix/mix_timers.ts";

/** Time that passes when a test says so. */
export class VirtualTimers implements MixTimers {
  #now: number;
  #next = 0;
  readonly #due = new Map<number, { at: number; due: () => void }>();

  /** @param now milliseconds since 1970. */
  constructor(now: number) {
    this.#now = now;
  }

  /** Timers that are running. */
  get waiting(): number {
    return this.#due.size;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, due: () => void): () => void {
    const id = this.#next++;
    this.#due.set(id, { at: this.#now + milliseconds, due });
    return () => this.#due.delete(id);
  }

  /** Lets time pass; what is due on the way is called at its time. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#due].filter(([, { at }]) => at <= end)
        .sort(([, a], [, b]) => a.at - b.at);
      if (next === undefined) break;
      const [id, { at, due }] = next;
      this.#due.delete(id);
      this.#now = Math.max(this.#now, at);
      due();
    }
    this.#now = end;
  }
}
