import type { MixStatus } from "../../lib/mix/mod.ts";
import type { Log } from "../log.ts";

/** Between two lines that say how rounds go, in milliseconds. */
const STATUS_EVERY = 60_000;
/** Between two lines about rounds that fail. */
const FAILURE_EVERY = 30_000;

/** Tells operators how rounds go, without saying who takes part. */
export class MixNews {
  readonly #log: Log;
  readonly #status: () => MixStatus;
  readonly #timer: ReturnType<typeof setInterval>;
  #failures = 0;
  #toldAt = -Infinity;
  #quiet = true;

  constructor(log: Log, status: () => MixStatus) {
    this.#log = log;
    this.#status = status;
    this.#timer = setInterval(() => this.#tell(), STATUS_EVERY);
  }

  /** Nobody takes part yet, and it would come to nothing. */
  lacking(error: unknown): void {
    this.#log.warn("no chain of mixes yet", { why: reasonOf(error) });
  }

  /** A round, or run, came to nothing. */
  failed(error: unknown): void {
    this.#failures++;
    const now = performance.now();
    const why = reasonOf(error);
    if (now - this.#toldAt < FAILURE_EVERY) {
      return this.#log.debug("round failed", { why });
    }
    this.#toldAt = now;
    this.#log.warn("rounds fail", { why, failures: this.#failures });
    this.#failures = 0;
  }

  /** Tells nothing any more. */
  close(): void {
    clearInterval(this.#timer);
  }

  /** Says how things stand while somebody takes part, and once when nobody does any more. */
  #tell(): void {
    const { clients, exchange, dialing, inFlight } = this.#status();
    if (clients === 0 && this.#quiet) return;
    this.#quiet = clients === 0;
    const { last } = exchange;
    this.#log.info("rounds", {
      clients,
      done: exchange.done,
      failed: exchange.failed,
      late: exchange.late,
      underWay: inFlight,
      dialing: dialing.done,
      dialingFailed: dialing.failed,
      ...last === undefined ? {} : {
        onions: last.onions,
        // One for each mix, in the order of the chain.
        tookMs: last.durations.map((each) => Math.round(each)).join(","),
      },
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
