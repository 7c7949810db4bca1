/** A controller whose clock is ahead by more than this (milliseconds) cannot lead. */
const CLOCK_TOLERANCE = 300_000;
/** Shortest and longest time that one leader has, in milliseconds. */
const SHORTEST_TURN = 250;
const LONGEST_TURN = 5_000;

/**
 * Who leads when. Time is cut into turns that are the same everywhere; in each turn one controller may
 * lead one ballot. Ballots rise with time, and the number of a ballot says whose it is, so that no two
 * controllers ever lead the same one.
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

  /** The place, from 0, of the controller whose turn it is at `now` (milliseconds) for a height. */
  leader(height: number, now: number): number {
    return (height + Math.floor(now / this.length)) % this.#controllers;
  }

  /** The first ballot of the controller at `place` that is due at `now` and above `promised`. */
  ballot(place: number, now: number, promised: number): number {
    const turn = Math.max(
      Math.floor(now / this.length),
      Math.ceil((promised - place) / this.#controllers),
    );
    return turn * this.#controllers + place + 1;
  }

  /** The place of the controller whose ballot it is. */
  owner(ballot: number): number {
    return (ballot - 1) % this.#controllers;
  }

  /** Whether a ballot belongs to a time that clocks here can have reached. */
  isDue(ballot: number, now: number): boolean {
    const turn = Math.floor((ballot - 1) / this.#controllers);
    return ballot > 0 && turn * this.length <= now + CLOCK_TOLERANCE;
  }
}
