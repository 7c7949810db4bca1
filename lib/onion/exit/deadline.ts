/**
 * Does `work` for at most so many milliseconds, or until `outer` fires. Then it rejects at once, with a
 * `TimeoutError` or the reason of `outer`, whether `work` heeds the signal that it is given or not; a
 * value that comes too late is handed to `late`.
 */
export async function withDeadline<T>(
  milliseconds: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  late?: (value: T) => void,
): Promise<T> {
  outer?.throwIfAborted();
  const inner = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  function end(reason: unknown): void {
    inner.abort(reason);
    reject(reason);
  }
  function follow(): void {
    end(outer!.reason);
  }
  const timer = setTimeout(() => {
    const text = `no answer within ${Math.round(milliseconds)} ms`;
    end(new DOMException(text, "TimeoutError"));
  }, milliseconds);
  outer?.addEventListener("abort", follow, { once: true });
  const working = work(inner.signal);
  try {
    return await Promise.race([working, ended]);
  } catch (error) {
    working.then(late, () => {});
    throw error;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", follow);
  }
}
