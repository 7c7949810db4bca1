import type { MixClientOptions } from "./mix_client_options.ts";
import type { MixClientStatus, RoundCounts } from "./mix_client_event.ts";

const NONE: RoundCounts = { done: 0, late: 0, failed: 0, unknown: 0 };

/**
 * Takes part in rounds for as long as it runs: in every one, exactly as many onions as everybody else,
 * at a time that was drawn before anything was put into them.
 */
export class MixClient {
  readonly #options: MixClientOptions;

  /** Nothing happens before `start`. */
  constructor(options: MixClientOptions) {
    this.#options = options;
  }

  /** Connects, and goes on doing so until `close`. */
  start(): void {}

  /** How things stand. */
  get status(): MixClientStatus {
    return {
      joined: false,
      chain: undefined,
      clock: undefined,
      exchange: NONE,
      dialing: NONE,
      spent: 0,
      missing: 0,
      nextIn: undefined,
    };
  }

  /** Leaves: what is under way is lost, and the connection closed. */
  async close(): Promise<void> {}
}
