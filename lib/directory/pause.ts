/** Resolves after so many milliseconds, or when `signal` fires. */
export function pause(
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  if (!(milliseconds > 0) || signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(end, Math.min(milliseconds, 2 ** 31 - 1));
  signal.addEventListener("abort", end, { once: true });
  function end(): void {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    resolve();
  }
  return promise;
}
