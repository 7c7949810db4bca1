import type { Peer } from "./peer.ts";

/** Rounds in which nothing new comes after which a script that has said everything hangs up. */
const QUIET_ROUNDS = 10;
/** Rounds for which one stays when the other person has hung up: they wait to hear that it is known. */
const LINGERING_ROUNDS = 4;
/** How long goodbyes may take, in milliseconds. */
const GOODBYE = 70_000;
/** Between two looks at whether all is said, in milliseconds. */
const LOOK = 100;

/** Knows when one may go. */
export class Departure {
  readonly #signal: AbortSignal;
  /** How many rounds have succeeded. */
  #rounds = 0;
  /** Which of them is to be waited for. */
  #stayUntil = 0;
  #heardAt = 0;

  /** `signal` fires when the person waits no longer. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** A round has succeeded. */
  round(): void {
    this.#rounds++;
  }

  /** Something has come that others may follow on: a text, an answer, keys. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** Somebody has hung up. */
  left(): void {
    this.#stayUntil = this.#rounds + LINGERING_ROUNDS;
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

  /** Waits until nobody is left with whom it is not over, and they know it. */
  async allKnow(
    isOver: () => boolean,
    isJoined: () => boolean,
  ): Promise<void> {
    await this.#until(
      () => isOver() && (!isJoined() || this.#rounds >= this.#stayUntil),
      GOODBYE,
    );
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
