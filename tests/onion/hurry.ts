/** While `work` goes on, time passes `factor` times faster: timers, and the steady clock. */
export async function hurried<T>(
  factor: number,
  work: () => Promise<T>,
): Promise<T> {
  const timer = globalThis.setTimeout;
  const clock = performance.now.bind(performance);
  globalThis.setTimeout = ((
    handler: () => void,
    milliseconds = 0,
  ) => timer(handler, milliseconds / factor)) as typeof setTimeout;
  performance.now = () => clock() * factor;
  try {
    return await work();
  } finally {
    globalThis.setTimeout = timer;
    performance.now = clock;
  }
}
