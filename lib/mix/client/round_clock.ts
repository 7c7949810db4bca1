/** The time by which a client keeps to rounds. */
export interface RoundClock {
  /** Milliseconds of a steady clock, from any beginning. */
  now(): number;
  /** Milliseconds since 1970 on this machine's clock, however wrong: it is only shown, never kept to. */
  wall(): number;
  /**
   * Calls `call` once after so many milliseconds, or as soon as it can if there are none.
   *
   * @returns what forgets it; nothing happens if it was called already.
   */
  after(milliseconds: number, call: () => void): () => void;
}

/** The machine's own clocks and timers. */
export const SYSTEM_ROUND_CLOCK: RoundClock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, Math.max(0, milliseconds));
    return () => clearTimeout(timer);
  },
};
