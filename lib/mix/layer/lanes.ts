/** Pieces of work that were asked for together. */
interface Job {
  readonly count: number;
  readonly work: (piece: number) => Promise<void>;
  /** Pieces that were begun. */
  begun: number;
  /** Pieces that are done. */
  done: number;
  failure: { readonly error: unknown } | undefined;
  readonly over: () => void;
}

/**
 * Does numbered pieces of work, some at a time: a call to WebCrypto takes long and is worth little, so that
 * many have to be under way; but threads that are too many wait for each other.
 */
export class Lanes {
  readonly #width: number;
  /** Those with pieces that were not begun, the oldest first. */
  readonly #jobs: Job[] = [];
  #running = 0;

  /** @param width how many pieces are under way at a time. */
  constructor(width: number) {
    this.#width = width;
  }

  /**
   * Has `work` done for the pieces 0 to `count` - 1: begun in order, ended in any. Resolves when all are
   * done. If one rejects no other is begun, and it rejects with the same once none is under way.
   */
  async each(
    count: number,
    work: (piece: number) => Promise<void>,
  ): Promise<void> {
    if (count === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const job: Job = {
      count,
      work,
      begun: 0,
      done: 0,
      failure: undefined,
      over: resolve,
    };
    this.#jobs.push(job);
    while (this.#running < this.#width && this.#jobs.length > 0) {
      void this.#run();
    }
    await promise;
    if (job.failure !== undefined) throw job.failure.error;
  }

  async #run(): Promise<void> {
    this.#running++;
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      const piece = job.begun++;
      if (job.begun === job.count) this.#jobs.shift();
      try {
        await job.work(piece);
      } catch (error) {
        this.#fail(job, error);
      }
      job.done++;
      if (job.done === job.begun && !this.#jobs.includes(job)) job.over();
    }
    this.#running--;
  }

  #fail(job: Job, error: unknown): void {
    job.failure ??= { error };
    const at = this.#jobs.indexOf(job);
    if (at >= 0) this.#jobs.splice(at, 1);
  }
}
