import type { Bytes } from "../../protocol/mod.ts";
import type { EngineOpened, RoundKeys } from "./layer_engine.ts";

/**
 * What an engine's thread is asked for, in the order in which it is to be done; what is not answered with
 * bytes is answered with nothing when it is done. Runs and rounds have numbers that the asking side has
 * chosen, each once. Byte strings are moved, not copied; private keys are handles, as secret there as here.
 */
export type ThreadRequest =
  | { readonly verb: "begin run"; readonly run: number }
  | { readonly verb: "erase run"; readonly run: number }
  | {
    readonly verb: "begin round";
    readonly run: number;
    readonly round: number;
    readonly keys: RoundKeys;
  }
  | { readonly verb: "open"; readonly round: number; readonly onions: Bytes }
  | {
    readonly verb: "seal";
    readonly round: number;
    readonly first: number;
    readonly count: number;
    readonly replies: Bytes;
  }
  | { readonly verb: "erase round"; readonly round: number };

/** A request on its way to the thread. */
export interface ThreadCall {
  /** No other call has the number. */
  readonly call: number;
  readonly request: ThreadRequest;
}

/** What comes back. */
export interface ThreadAnswer {
  /** To which call. */
  readonly call: number;
  /** Of `open` and of `seal`. */
  readonly result: EngineOpened | Bytes | undefined;
}

/** The buffers of an answer, which are moved with it. */
export function buffersOf(result: ThreadAnswer["result"]): ArrayBuffer[] {
  if (result === undefined) return [];
  if (result instanceof Uint8Array) return [result.buffer];
  const { inner, isOpen, circuitIds } = result;
  return [inner.buffer, isOpen.buffer, circuitIds.buffer];
}
