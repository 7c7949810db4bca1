import { MixError } from "./mix_error.ts";

/** Tells the time and lets it pass; in tests both are under control. */
export interface MixTimers {
  /** Whole milliseconds since 1970. Never goes back. */
  now(): number;
  /** Calls `due` once after so many milliseconds, unless the function that it gives is called before. */
  after(milliseconds: number, due: () => void): () => void;
}

/** By how much the computer's clock must have gone ahead to be believed, in milliseconds. */
const JUMP = 1_000;

/**
 * A clock in whole milliseconds that starts from the computer's and then goes on steadily. When that one is set
 * back, this one goes on, so that no two rounds have one name; when it is set forward, or the computer
 * has slept, this one follows, or mixes on other computers would take it for late for ever.
 *
 * @param wall the computer's clock, milliseconds since 1970.
 * @param steady milliseconds since anything, of a clock that nobody sets.
 */
export function steadyClock(
  wall: () => number,
  steady: () => number,
): () => number {
  let offset = wall() - steady();
  return () => {
    const behind = wall() - (offset + steady());
    if (behind > JUMP) offset += behind;
    return Math.floor(offset + steady());
  };
}

/** The time of this process. */
export const SYSTEM_TIMERS: MixTimers = {
  now: steadyClock(Date.now, () => performance.now()),
  after(milliseconds, due) {
    const timer = setTimeout(due, milliseconds);
    return () => clearTimeout(timer);
  },
};

/**
 * What `action` resolves with, unless that takes longer than `milliseconds` or `signal` fires before.
 * What comes of the action later is of no interest to anybody.
 *
 * @param step for the error, in words that follow "Cannot".
 * @throws {MixError} ERR_MIX_LATE, or ERR_MIX_GONE after the signal.
 */
export function within<T>(
  timers: MixTimers,
  milliseconds: number,
  signal: AbortSignal,
  action: Promise<T>,
  step: string,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const cancel = timers.after(
    Math.max(0, milliseconds),
    () => reject(new MixError("ERR_MIX_LATE", `Cannot ${step}: no answer`)),
  );
  function giveUp(): void {
    reject(new MixError("ERR_MIX_GONE", `Cannot ${step}: it was given up`));
  }
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  action.then(resolve, reject);
  return promise.finally(() => {
    cancel();
    signal.removeEventListener("abort", giveUp);
  });
}
