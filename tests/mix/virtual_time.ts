import type { RoundClock } from "../../lib/mix/client/round_clock.ts";
import type { MixTimers } from "../../lib/mix/mix_timers.ts";
import { VirtualTimers } from "../support/virtual_timers.ts";

/**
 * One time for a whole network: it passes only when a test says so, and stands still until everything that
 * the last timer has set off is done, what WebCrypto does in other threads included.
 */
export class VirtualTime extends VirtualTimers
  implements MixTimers, RoundClock, Disposable {
  readonly #crypto = new CountedCrypto();

  /** @param now whole milliseconds since 1970. */
  constructor(now = 1_900_000_000_000) {
    super(now);
  }

  wall(): number {
    return this.now();
  }

  override after(milliseconds: number, due: () => void): () => void {
    return super.after(Math.ceil(milliseconds), due);
  }

  /** Resolves when so much time has passed. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve));
  }

  /** Lets time pass. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.now() + milliseconds;
    await this.settle();
    while (this.step(until)) await this.settle();
  }

  /**
   * Lets time pass until `holds`.
   *
   * @throws {Error} if it does not within `patience` milliseconds of this time.
   */
  async until(
    what: string,
    holds: () => boolean,
    patience = 120_000,
  ): Promise<void> {
    const end = this.now() + patience;
    while (!holds()) {
      if (this.now() >= end) throw new Error(`Not in ${patience} ms: ${what}`);
      await this.advance(100);
    }
  }

  [Symbol.dispose](): void {
    this.#crypto[Symbol.dispose]();
  }

  /** Waits until nothing goes on without time passing. */
  async settle(): Promise<void> {
    // What ended at the same moment as a turn may go on after it.
    for (let quiet = 0; quiet < 3; quiet++) {
      await turn();
      if (this.#crypto.pending > 0) quiet = -1;
    }
  }
}

/** All microtasks, and what else was to be done at once. */
function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      port2.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

const METHODS = [
  "digest",
  "sign",
  "verify",
  "importKey",
  "exportKey",
  "generateKey",
  "getPublicKey",
  "deriveBits",
  "encrypt",
  "decrypt",
  "encapsulateBits",
  "decapsulateBits",
] as const;

/** Counts what WebCrypto has under way. */
class CountedCrypto implements Disposable {
  pending = 0;

  constructor() {
    const subtle = crypto.subtle as unknown as Record<string, unknown>;
    for (const method of METHODS) {
      const genuine = subtle[method] as (
        ...args: unknown[]
      ) => Promise<unknown>;
      subtle[method] = async (...args: unknown[]) => {
        this.pending++;
        try {
          return await genuine.apply(crypto.subtle, args);
        } finally {
          this.pending--;
        }
      };
    }
  }

  [Symbol.dispose](): void {
    const subtle = crypto.subtle as unknown as Record<string, unknown>;
    for (const method of METHODS) delete subtle[method];
  }
}
