import { MixError } from "../mix_error.ts";

/** Tells the time and lets it pass; in tests both are under control. */
export interface MixTimers {
  /** Whole milliseconds since 1970. Never goes back. */
  now(): number;
  /** Calls `due` once after so many milliseconds, unless the function that it gives is called before. */
  after(milliseconds: number, due: () => void): () => void;
}

/**
 * The computer's own time as it was when this process began, and from there on a steady clock: a clock
 * that is set while rounds run does not make two rounds of one.
 */
export const SYSTEM_TIMERS: MixTimers = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
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
