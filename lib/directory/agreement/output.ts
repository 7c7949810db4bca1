import type { NodeKeyring } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import type { Consensus } from "../consensus.ts";
import type { RelayDescriptor } from "../descriptor.ts";
import type { Network } from "../network.ts";
import type { AgreementMessage } from "./message.ts";
import type { Standing } from "./standing.ts";

/** A relay that a controller holds to be running. */
export interface Candidate {
  /** What it says of itself. */
  readonly descriptor: RelayDescriptor;
  /** Whether it has been known for long enough to be a guard. */
  readonly guard: boolean;
}

/** What a lying controller can be caught at. */
export type Offence =
  | "two-votes"
  | "two-announcements"
  | "two-signatures"
  | "invalid-vote"
  | "invalid-proposal"
  | "another-chain";

/** What the agreement wants done, in this order. */
export type Output =
  /** To be on disk before anything that follows is done. */
  | { readonly kind: "keep"; readonly standing: Standing }
  /** To one controller, or to all others. */
  | {
    readonly kind: "send";
    readonly to: Bytes | undefined;
    readonly message: AgreementMessage;
  }
  /** The next consensus. */
  | { readonly kind: "publish"; readonly consensus: Consensus }
  /** That controller knows the consensus of this height: it should be fetched, if it does not come. */
  | {
    readonly kind: "behind";
    readonly controller: Bytes;
    readonly height: number;
  }
  /** That controller has done what an honest one never does. */
  | {
    readonly kind: "caught";
    readonly controller: Bytes;
    readonly offence: Offence;
  };

/** What an agreement is made of. */
export interface AgreementOptions {
  /** Who we are: one of the controllers. */
  readonly keyring: NodeKeyring;
  /** The controllers, and how many must agree. */
  readonly network: Network;
  /** Seconds from one consensus to the next. */
  readonly interval: number;
  /** Seconds for which a consensus is valid. */
  readonly lifetime: number;
  /** The relays that are running, as we see it now. */
  readonly candidates: () => readonly Candidate[];
}
