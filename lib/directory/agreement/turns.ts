/** Shortest and longest time that one leader has, in milliseconds. */
const SHORTEST_TURN = 500;
const LONGEST_TURN = 15_000;

/**
 * Who leads when. Time is cut into turns that are the same everywhere; in each turn one controller may
 * lead one ballot. Ballots rise with time, and the number of a ballot says in which turn and whose it
 * is, so that no two controllers ever lead the same one.
 *
 * A ballot is heard only while the clock is in its turn or in one beside it. A controller whose clock
 * differs by more leads nobody; and one that lies about the time can spoil its own turn and the one
 * before, not those of the others.
 */
export class Turns {
  /** Length of a turn in milliseconds. */
  readonly length: number;
  readonly #controllers: number;

  /** `interval` is the time from one consensus to the next, in seconds. */
  constructor(controllers: number, interval: number) {
    this.#controllers = controllers;
    const quarter = interval * 250;
    this.length = Math.min(Math.max(quarter, SHORTEST_TURN), LONGEST_TURN);
  }

  /** The number of the turn at `now` (milliseconds since 1970). */
  at(now: number): number {
    return Math.floor(now / this.length);
  }

  /** The place, from 0, of the controller whose turn it is at `now` for a height. */
  leader(height: number, now: number): number {
    return (height + this.at(now)) % this.#controllers;
  }

  /** The ballot of whoever leads at `now`. Alone one leads as many as one likes, above all `promised`. */
  ballot(height: number, now: number, promised: number): number {
    if (this.#controllers === 1) return Math.max(this.at(now), promised) + 1;
    return this.at(now) * this.#controllers + this.leader(height, now) + 1;
  }

  /**
   * The place of the controller that may lead this ballot at this height, if it is one that may be led
   * at about `now`.
   */
  owner(ballot: number, height: number, now: number): number | undefined {
    if (this.#controllers === 1) return 0;
    const place = (ballot - 1) % this.#controllers;
    const turn = Math.floor((ballot - 1) / this.#controllers);
    const near = Math.abs(turn - this.at(now)) <= 1;
    return near && (height + turn) % this.#controllers === place
      ? place
      : undefined;
  }
}
