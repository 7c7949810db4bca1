import { LayerThread } from "./layer_thread.ts";
import { buffersOf } from "./thread_messages.ts";
import type { ThreadAnswer, ThreadCall } from "./thread_messages.ts";

/**
 * What a thread of an engine is started with: this module; in a program that is one file that file, which
 * has to load this module in a worker.
 */
export const LAYER_THREAD: string = import.meta.url;

/** The global scope of a worker as far as it is needed here, where the types are those of the main thread. */
interface ThreadScope {
  onmessage: (event: MessageEvent<ThreadCall>) => void;
  postMessage(answer: ThreadAnswer, transfer: ArrayBuffer[]): void;
}

if ("DedicatedWorkerGlobalScope" in globalThis) {
  const scope = globalThis as unknown as ThreadScope;
  const thread = new LayerThread();
  scope.onmessage = async ({ data: { call, request } }) => {
    // If it rejects it ends the thread: there is nothing that a round could go on with.
    const result = await thread.handle(request);
    scope.postMessage({ call, result }, buffersOf(result));
  };
}
