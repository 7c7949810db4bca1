import v8 from "node:v8";
import vm from "node:vm";

v8.setFlagsFromString("--expose-gc");
const gc: () => void = vm.runInNewContext("gc");

/** Memory of this process in bytes, after what nobody needs has been collected. */
export interface Memory {
  /** What JavaScript objects take, the contents of buffers included. */
  readonly live: number;
  /** What the operating system counts for the process. */
  readonly resident: number;
}

/** Collects garbage and measures. Twice, since buffers are freed one collection after their owners. */
export function memoryInUse(): Memory {
  gc();
  gc();
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return { live: heapUsed + external, resident: rss };
}
