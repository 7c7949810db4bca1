/** Lets one piece of work per name run at a time, in the order in which they were begun. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(work);
    const turn = mine.catch(() => {});
    this.#last.set(name, turn);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    }
  }

  /** Resolves when everything that was begun so far has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
