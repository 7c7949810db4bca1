import { setImmediate } from "node:timers";
import type { RoundClock } from "../../../lib/mix/client/round_clock.ts";
import { VirtualTimers } from "../../support/virtual_timers.ts";

/** A clock that goes on only when it is told to, and lets everything else happen meanwhile. */
export class VirtualClock extends VirtualTimers implements RoundClock {
  /** What added to `now` gives the date. */
  date: number;

  constructor(now = 5_000, date = 1_800_000_000_000) {
    super(now);
    this.date = date;
  }

  wall(): number {
    return this.now() + this.date;
  }

  /** Lets so many milliseconds pass, timer by timer. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.now() + milliseconds;
    await settle();
    while (this.step(until)) await settle();
    await settle();
  }

  /** The clock stands `milliseconds` later at once, and only then the timers are looked at: a machine that slept. */
  async sleep(milliseconds: number): Promise<void> {
    this.skip(milliseconds);
    await this.advance(0);
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => setImmediate(() => resolve()));
  }
}

/** Waits, in real time, for what other threads work on. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("It did not come to that");
    await settle();
  }
}
