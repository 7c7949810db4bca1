/**
 * Runs work that ends in any order and hands the results on in the order in which it was begun: a
 * WebCrypto call costs the same time however many are under way, so that many are.
 */
export class InOrder<T, C> {
  readonly #deliver: (result: T, context: C) => void;
  readonly #failed: (error: unknown) => void;
  readonly #slots: { result: T | undefined; readonly context: C }[] = [];
  #broken = false;
  #waiting: (() => void)[] = [];

  /** `failed` is told once; nothing is delivered behind a failure. */
  constructor(
    deliver: (result: T, context: C) => void,
    failed: (error: unknown) => void,
  ) {
    this.#deliver = deliver;
    this.#failed = failed;
  }

  /** How many results are outstanding. */
  get length(): number {
    return this.#slots.length;
  }

  /** Takes on work that is under way; `context` is handed on with its result. */
  push(work: Promise<T>, context: C): void {
    if (this.#broken) {
      work.catch(() => {/* nobody waits for it */});
      return;
    }
    const slot: { result: T | undefined; context: C } = {
      result: undefined,
      context,
    };
    this.#slots.push(slot);
    work.then((result) => {
      slot.result = result;
      if (this.#slots[0] === slot) this.#drain();
    }, (error) => this.#fail(error));
  }

  /** Resolves when fewer than `count` results are outstanding, or none will come any more. */
  below(count: number): Promise<void> | undefined {
    if (this.#slots.length < count || this.#broken) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #drain(): void {
    while (!this.#broken && this.#slots[0]?.result !== undefined) {
      const { result, context } = this.#slots.shift()!;
      try {
        this.#deliver(result!, context);
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#release();
  }

  #fail(error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#slots.length = 0;
    this.#release();
    this.#failed(error);
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
