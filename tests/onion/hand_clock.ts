import { VirtualTimers } from "../support/virtual_timers.ts";

/** Timers that go off when a test says so, in place of the usual ones until it is disposed of. */
export class HandClock implements Disposable {
  readonly #timer = globalThis.setTimeout;
  readonly #clear = globalThis.clearTimeout;
  readonly #timers = new VirtualTimers(0);
  readonly #cancels = new Map<number, () => void>();
  #count = 0;

  constructor() {
    globalThis.setTimeout = ((handler: () => void, milliseconds = 0) => {
      const id = ++this.#count;
      this.#cancels.set(id, this.#timers.after(milliseconds, handler));
      return id;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number) => {
      this.#cancels.get(id)?.();
    }) as typeof clearTimeout;
  }

  /** Milliseconds that have passed. */
  get now(): number {
    return this.#timers.now();
  }

  /** Lets so many milliseconds pass, and between any two timers all that they set off. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    do {
      await new Promise((resolve) => this.#timer.call(globalThis, resolve, 0));
    } while (this.#timers.step(end));
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#timer;
    globalThis.clearTimeout = this.#clear;
  }
}
