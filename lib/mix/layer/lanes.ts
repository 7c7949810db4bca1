/**
 * How many WebCrypto calls of a round are under way at a time: enough for the threads that serve them to
 * be busy while this one is, and few enough that they do not wait for each other.
 */
const LANES = 16;

/**
 * Does numbered pieces of work, many at a time: a call to WebCrypto takes the same time however many are
 * under way. Pieces are begun in order and end in any.
 */
export class Lanes {
  readonly #work: (piece: number) => Promise<void>;
  #next = 0;
  #end = 0;
  #running = 0;
  #stopped = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #waiting: (() => void)[] = [];

  /** @param work does one piece; if it rejects, nothing more is begun. */
  constructor(work: (piece: number) => Promise<void>) {
    this.#work = work;
  }

  /** There are `count` pieces now, which is more than before. */
  extend(count: number): void {
    this.#end = count;
    while (this.#running < LANES && this.#isLeft()) void this.#run();
  }

  /** Nothing more is begun. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Resolves when nothing is under way any more: everything is done, or the rest will not be begun.
   * Rejects with what a piece has rejected with.
   */
  async idle(): Promise<void> {
    if (this.#running > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #isLeft(): boolean {
    return this.#next < this.#end && !this.#stopped;
  }

  async #run(): Promise<void> {
    this.#running++;
    try {
      while (this.#isLeft()) await this.#work(this.#next++);
    } catch (error) {
      this.#failure ??= { error };
      this.#stopped = true;
    }
    if (--this.#running > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
