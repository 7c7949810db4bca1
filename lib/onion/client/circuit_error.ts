import type { DestroyReason } from "../cell/cell.ts";

/** A circuit could not be built, or is gone. */
export class CircuitError extends Error {
  /** The name of this class. */
  override readonly name = "CircuitError";
  /** Stable, for programs. */
  readonly code = "ERR_CIRCUIT";
  /** Why, in a word. */
  readonly reason: DestroyReason;
  /** Which hop was being made, from 1; one more than the circuit has if it was built. */
  readonly hop: number;

  /** With the reason, and the hop that was being made. */
  constructor(reason: DestroyReason, hop: number, options?: ErrorOptions) {
    super(`Cannot use a circuit: ${reason} at hop ${hop}`, options);
    this.reason = reason;
    this.hop = hop;
  }
}
