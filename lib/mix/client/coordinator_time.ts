import type { ClockReading } from "./clock_sample.ts";
import type { RoundClock } from "./round_clock.ts";

/** Further apart than this, in milliseconds, the own two clocks have not gone on together: one was set, or all slept. */
const JUMP = 1_000;

/**
 * The coordinator's time, told by the own steady clock and the last reading. The own machine's idea of the
 * date does not come in, so that a clock that is a day off does no harm.
 */
export class CoordinatorTime {
  readonly #clock: RoundClock;
  #reading: ClockReading;
  #apart: number;

  /** Begins with a reading. */
  constructor(clock: RoundClock, reading: ClockReading) {
    this.#clock = clock;
    this.#reading = reading;
    this.#apart = clock.wall() - clock.now();
  }

  /** The reading that it goes by. */
  get reading(): ClockReading {
    return this.#reading;
  }

  /** Milliseconds since 1970 on the coordinator's clock. */
  now(): number {
    return this.#clock.now() + this.#reading.offset;
  }

  /** By how many milliseconds it is ahead of this machine's date. */
  get ahead(): number {
    return Math.round(this.now() - this.#clock.wall());
  }

  /** Goes by another reading. How far the two are apart, in milliseconds. */
  set(reading: ClockReading): number {
    const change = Math.abs(reading.offset - this.#reading.offset);
    this.#reading = reading;
    this.#apart = this.#clock.wall() - this.#clock.now();
    return change;
  }

  /** Whether a clock of this machine has jumped since the last reading. */
  get hasJumped(): boolean {
    const apart = this.#clock.wall() - this.#clock.now();
    return Math.abs(apart - this.#apart) > JUMP;
  }

  /** Calls `call` at a moment of the coordinator's time, or soon if it has passed; what forgets it. */
  at(moment: number, call: () => void): () => void {
    return this.#clock.after(Math.max(0, moment - this.now()), call);
  }
}
