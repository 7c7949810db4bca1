import type { DatabaseSync } from "node:sqlite";
import { isSqliteError, sqliteFailure } from "./sqlite_failure.ts";
import { StoreError } from "./store_error.ts";

/** How long jobs wait for company under load, in milliseconds. */
const GATHER_MS = 1;
/** From so many jobs in a millisecond on there is load. */
const LOAD_JOBS_PER_MS = 2;
/** At most so many jobs share a transaction: it holds the event loop while it runs. */
const BATCH_LIMIT = 512;

interface Job {
  readonly run: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * The one writer of a database: gathers jobs and runs them in one transaction, so that many callers
 * share one wait for the disk. A job's promise resolves after the commit.
 *
 * When to commit: at the end of the current turn of the event loop, so that a lone caller does not
 * wait; under load as soon as there are as many jobs as in the last transaction, or after a
 * millisecond. Callers that each wait for their answer before they write again are thus gathered
 * completely and without idling.
 */
export class GroupCommit {
  readonly #db: DatabaseSync;
  #queue: Job[] = [];
  /** How many jobs to wait for. */
  #expected = 1;
  #lastFlush = 0;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** @param db with foreign keys, journal and busy timeout as wished, and no transaction open. */
  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /**
   * Runs `job` in a transaction and resolves to what it returned once that is on disk. The job must
   * be synchronous and change nothing but the database, because it may be run twice: a job that
   * throws rejects its own promise only, and the others of its transaction are run again without it.
   *
   * @throws {StoreError} if the transaction could not be committed; then nothing of it is kept.
   */
  write<T>(job: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      this.#queue.push({
        run: job,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
      this.#schedule();
    });
  }

  /** Runs what is queued; later writes reject. The database stays open. */
  close(): void {
    this.#closed = true;
    while (this.#queue.length > 0) this.#flush();
  }

  #schedule(): void {
    if (this.#immediate !== undefined) return;
    if (this.#queue.length >= this.#expected) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#immediate = setImmediate(() => this.#flush());
    } else {
      this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
    }
  }

  #flush(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = this.#timer = undefined;
    const batch = this.#queue.splice(0, BATCH_LIMIT);
    const now = performance.now();
    const isLoad = batch.length > LOAD_JOBS_PER_MS * (now - this.#lastFlush);
    this.#expected = isLoad ? batch.length : 1;
    this.#lastFlush = now;
    try {
      const outcomes = this.#commit(batch);
      batch.forEach((job, i) => {
        const outcome = outcomes[i]!;
        if ("value" in outcome) job.resolve(outcome.value);
        else job.reject(outcome.error);
      });
    } catch (cause) {
      const error = sqliteFailure("commit to the database", cause);
      for (const job of batch) job.reject(error);
    }
    if (this.#queue.length > 0) this.#schedule();
  }

  /**
   * A savepoint for every job would keep a failing one from the others, but costs each job about a
   * microsecond and copies of the pages it changes. Failing jobs are rare, so the first attempt does
   * without, and only a transaction in which a job threw is repeated with savepoints.
   */
  #commit(batch: readonly Job[]): readonly Outcome[] {
    return this.#transaction(() => {
      try {
        return batch.map((job) => ({ value: job.run() }));
      } catch {
        return undefined;
      }
    }) ?? this.#transaction(() => batch.map((job) => this.#apart(job)))!;
  }

  /** Runs `body` between begin and commit, or rollback when it returns undefined or throws. */
  #transaction<T>(body: () => T | undefined): T | undefined {
    const db = this.#db;
    db.exec("begin immediate");
    let result: T | undefined;
    try {
      result = body();
      if (result !== undefined) db.exec("commit");
    } finally {
      // SQLite has rolled back by itself after some errors, such as a full disk.
      if (db.isTransaction) db.exec("rollback");
    }
    return result;
  }

  #apart(job: Job): Outcome {
    const db = this.#db;
    db.exec("savepoint job");
    try {
      const value = job.run();
      db.exec("release job");
      return { value };
    } catch (error) {
      // Without the transaction the other jobs are lost too.
      if (!db.isTransaction) throw error;
      db.exec("rollback to job; release job");
      return {
        error: isSqliteError(error)
          ? sqliteFailure("change the database", error)
          : error,
      };
    }
  }
}

function closedError(): StoreError {
  return new StoreError(
    "Cannot write to the database: it is closed",
    "ERR_STORE_CLOSED",
    "Open it again.",
  );
}
