/**
 * How far one's own text is: waiting here; handed in, in the round that is named; in a round in which
 * the other person was at the drop (all its parts); acknowledged by that person with everything that was
 * said before it, so that it has been shown there.
 */
export type TextState = "queued" | "in round" | "exchanged" | "delivered";

/**
 * What became of a round:
 * - `exchanged`: the other person was at the drop, and what came is theirs;
 * - `absent`: what was left at the drop came back, nobody else was there;
 * - `garbled`: something came back that opens under no key: a mix misbehaves, or somebody else wrote;
 * - `late`, `failed`, `unknown`: nothing came back, see `Loss`.
 */
export type RoundOutcome =
  | "exchanged"
  | "absent"
  | "garbled"
  | "late"
  | "failed"
  | "unknown";

/** Why somebody hangs up. */
export type HangUpReason = "bye" | "refused" | "busy";

/** What happens in a conversation. */
export type ConversationEvent =
  /** The other person is there and wants to talk. */
  | { readonly kind: "met" }
  /** A text has come: each once, in the order in which they were said. */
  | {
    readonly kind: "text";
    /** 16 hex digits, chosen by the writer. */
    readonly id: string;
    readonly text: string;
    /** By the writer's clock, in milliseconds since 1970. */
    readonly sentAt: number;
  }
  /** One's own text has come further; `round` is the start of the round that it is in. */
  | {
    readonly kind: "state";
    /** 16 hex digits, as `say` gave it. */
    readonly id: string;
    readonly state: TextState;
    readonly round?: number;
  }
  /**
   * What is said from now on is sealed under this generation of secrets: from 1 on nobody can read it
   * who learns the keys of the two later, from 2 on not even with a quantum computer.
   */
  | { readonly kind: "generation"; readonly generation: number }
  /** A round is over. */
  | {
    readonly kind: "round";
    readonly round: number;
    readonly outcome: RoundOutcome;
  }
  /** The other person hung up. */
  | { readonly kind: "hung up"; readonly reason: HangUpReason }
  /** No round is taken part in any more. So many of one's own texts were not acknowledged. */
  | { readonly kind: "over"; readonly undelivered: number };
