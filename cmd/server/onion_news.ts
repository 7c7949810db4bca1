import { ConsensusError } from "../../lib/directory/mod.ts";
import { CircuitError, StreamError } from "../../lib/onion/mod.ts";
import type { ServiceState } from "../../lib/onion/mod.ts";
import type { Log } from "../log.ts";
import { logFailure } from "../node_log.ts";

/** After this it is said that a server cannot be reached yet, in milliseconds. */
const PATIENCE = 30_000;

/** Tells whether a server can be reached through the onion network. */
export class OnionNews {
  readonly #log: Log;
  readonly #reachable: () => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #isReachable = false;
  #wasReachable = false;
  /** What went wrong last. */
  #why = "";

  /**
   * `reachable` is told once, when it can be reached for the first time; after `patience` milliseconds
   * without, a warning is given.
   */
  constructor(log: Log, reachable: () => void, patience: number = PATIENCE) {
    this.#log = log;
    this.#reachable = reachable;
    this.#timer = setTimeout(() => {
      log.warn("not reachable through the onion network yet", {
        why: this.#why,
      });
    }, patience);
  }

  /** It stands otherwise than before. */
  changed({ points, stores }: ServiceState): void {
    this.#log.debug("onion service", { points, stores });
    const isReachable = stores > 0;
    if (isReachable === this.#isReachable) return;
    this.#isReachable = isReachable;
    clearTimeout(this.#timer);
    if (!isReachable) {
      const why = this.#why;
      this.#log.warn("no longer reachable through the onion network", { why });
      return;
    }
    this.#log.info("reachable through the onion network");
    if (!this.#wasReachable) this.#reachable();
    this.#wasReachable = true;
  }

  /** Something went wrong. */
  failed(error: unknown): void {
    if (error instanceof Error) this.#why = error.message;
    logOnionFailure(this.#log, error);
  }

  /** Nothing is to be told any more. */
  close(): void {
    clearTimeout(this.#timer);
  }
}

/** Relays come and go, and so do those who are behind them: that is worth a line for debugging only. */
export function logOnionFailure(log: Log, error: unknown): void {
  const isWeather = error instanceof StreamError ||
    error instanceof CircuitError || error instanceof ConsensusError;
  if (!isWeather) return logFailure(log, error);
  log.debug("onion", { why: `${error.name}: ${error.message}` });
}
