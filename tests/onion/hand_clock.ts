/** Timers that go off when a test says so, in place of the usual ones until it is disposed of. */
export class HandClock implements Disposable {
  readonly #timer = globalThis.setTimeout;
  readonly #clear = globalThis.clearTimeout;
  readonly #due = new Map<number, { at: number; handler: () => void }>();
  #count = 0;
  /** Milliseconds that have passed. */
  now = 0;

  constructor() {
    globalThis.setTimeout = ((handler: () => void, milliseconds = 0) => {
      this.#due.set(++this.#count, { at: this.now + milliseconds, handler });
      return this.#count;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number) => {
      this.#due.delete(id);
    }) as typeof clearTimeout;
  }

  /** Lets so many milliseconds pass, and between any two timers all that they set off. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (;;) {
      await new Promise((resolve) => this.#timer.call(globalThis, resolve, 0));
      const next = [...this.#due].filter(([, { at }]) => at <= end)
        .toSorted(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined) break;
      const [id, { at, handler }] = next;
      this.#due.delete(id);
      this.now = at;
      handler();
    }
    this.now = end;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#timer;
    globalThis.clearTimeout = this.#clear;
  }
}
