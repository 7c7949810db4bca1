import type { Bytes } from "../../protocol/mod.ts";
import type { RoundId } from "../round.ts";

/** Why nothing came back for what was handed in. */
export type Loss =
  /** It reached the entry when the round was closed, or was ready too late to be sent. */
  | "late"
  /** The round came to nothing: a mix failed. */
  | "failed"
  /** The connection broke before the round was over: nobody knows. */
  | "unknown";

/**
 * What takes one slot of an exchange round. Exactly one of the two functions is called, once; an error
 * that it throws is told as a fault of the source, and harms no round.
 */
export interface Exchange {
  /** Drop id 16 ‖ sealed 496. */
  readonly payload: Bytes;
  /** `reply` (496 bytes) has come back. */
  answered(reply: Bytes): void;
  /** Nothing has come, or nothing that opens. */
  lost(why: Loss): void;
}

/** Fills the slots of exchange rounds. What it leaves empty is filled with cover. */
export interface ExchangeSource {
  /**
   * What goes into a round: at most `slots`. Called once a round, shortly before it is handed in, with
   * rounds in the order of their starts.
   */
  outgoing(round: RoundId, slots: number): Promise<readonly Exchange[]>;
}

/** Who calls, and who listens for calls. */
export interface DialSource {
  /** The id of the certificate by which others call, 32 bytes: it decides the bucket. */
  readonly certificateId: Bytes;
  /**
   * The token (32 bytes) to be left in the bucket of the certificate with the id `to` (32 bytes); nothing
   * for cover. `done` is told whether the round took it; an error that it throws harms no round.
   */
  dial(
    round: RoundId,
  ): Promise<
    | {
      readonly to: Bytes;
      readonly token: Bytes;
      readonly done: (loss: Loss | undefined) => void;
    }
    | undefined
  >;
  /** The filter of the own bucket after a dialing round: `has` tells whether a token (32 bytes) is in it. */
  heard(
    round: RoundId,
    filter: { has(token: Bytes): boolean },
  ): Promise<void>;
}
