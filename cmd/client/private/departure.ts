import type { Peer } from "./peer.ts";

/** Rounds in which nothing new comes after which a script that has said everything hangs up. */
const QUIET_ROUNDS = 10;
/** How long goodbyes may take, in milliseconds. */
const GOODBYE = 70_000;
/** Between two looks at whether all is said, in milliseconds. */
const LOOK = 100;

/** Knows when one may go. */
export class Departure {
  readonly #signal: AbortSignal;
  #heardAt = 0;

  /** `signal` fires when the person waits no longer. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Something has come that others may follow on: a text, an answer, keys. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /**
   * Waits until a script's texts are delivered and nothing new comes any more, or it is over.
   *
   * @param period of rounds, in milliseconds.
   * @param patience how long at most, in milliseconds.
   */
  async allSaid(
    peer: Peer,
    period: () => number,
    patience: number,
  ): Promise<void> {
    this.heard();
    const isQuiet = () =>
      performance.now() - this.#heardAt > QUIET_ROUNDS * period();
    await this.#until(
      () =>
        peer.stage === "over" ||
        peer.stage === "talking" && peer.waiting.length === 0 && isQuiet(),
      patience,
    );
  }

  /** Waits until it is over with everybody, and they know it. */
  async allKnow(isKnown: () => boolean): Promise<void> {
    await this.#until(isKnown, GOODBYE);
  }

  /** Waits until the person wants no more. */
  async end(): Promise<void> {
    await this.#until(() => false, Infinity);
  }

  async #until(condition: () => boolean, milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (
      !this.#signal.aborted && !condition() && performance.now() < end
    ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }
}
