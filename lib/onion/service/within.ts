import type { ClientCircuit } from "../client/client_circuit.ts";

/**
 * Waits for an answer on a circuit that is used for nothing else. The circuit is destroyed when it takes
 * too long, or is given up, so that `work` ends by it.
 */
export async function within<T>(
  milliseconds: number,
  circuit: ClientCircuit,
  work: Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const giveUp = () => circuit.destroy("requested");
  const timer = setTimeout(() => circuit.destroy("timeout"), milliseconds);
  signal?.addEventListener("abort", giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    return await work;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}
