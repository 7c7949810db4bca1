import { LocalEngine, ThreadEngine } from "../lib/mix/mod.ts";
import type { LayerEngine } from "../lib/mix/mod.ts";

/** A server has other things to do with processors beyond these. */
const MOST = 8;

/** What a mix on this machine opens onions with: a thread for each processor, if there are several. */
export function mixEngines(): readonly LayerEngine[] {
  const processors = navigator.hardwareConcurrency;
  if (processors < 2) return [new LocalEngine()];
  return Array.from(
    { length: Math.min(processors, MOST) },
    () => new ThreadEngine(),
  );
}
