import { SYSTEM_TIMERS } from "../mix_timers.ts";
import type { MixTimers } from "../mix_timers.ts";

/** The time by which a client keeps to rounds. */
export interface RoundClock extends Pick<MixTimers, "after"> {
  /** Milliseconds of a steady clock, from any beginning. */
  now(): number;
  /** Milliseconds since 1970 on this machine's clock, however wrong: it is only shown, never kept to. */
  wall(): number;
}

/** The machine's own clocks and timers. */
export const SYSTEM_ROUND_CLOCK: RoundClock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: SYSTEM_TIMERS.after,
};
