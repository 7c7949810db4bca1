import type { Bytes } from "../../protocol/mod.ts";

/**
 * Gives the memory of `bytes` back at once: nobody may use them any more, or anything else in the same
 * buffer. What is left to the collector comes back many cells later, cold, and after a look at the heap.
 */
export function discard(bytes: Bytes): void {
  bytes.buffer.transfer(0);
}
