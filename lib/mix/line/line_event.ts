import type {
  HangUpReason,
  RoundOutcome,
  TextState,
} from "../conversation/conversation_event.ts";

/** Somebody's call. */
export interface Call {
  /** Who calls: `name@zone`. */
  readonly address: string;
  /** Start of the dialing round, in milliseconds since 1970; of the latest, if they dialed more than once. */
  readonly dialedAt: number;
}

/** Why a conversation ended. */
export type TalkEnd =
  /** One hung up oneself, or gave up calling. */
  | "left"
  /** The other person hung up. */
  | "left by peer"
  /** Their call was accepted, but for two minutes they were not there; or rounds stopped for weeks. */
  | "nobody there"
  /** A new call between the two took its place. */
  | "called anew";

/** What happens on a private line. */
export type LineEvent =
  /** Somebody calls, and waits now. Comes once, however often they dial. */
  | { readonly kind: "ringing"; readonly call: Call }
  /** Somebody called and waits no longer, or, if `busy`, was told that there is no room. */
  | { readonly kind: "missed"; readonly call: Call; readonly busy: boolean }
  /** One's own call has been left in the filter of that dialing round. */
  | {
    readonly kind: "dialed";
    readonly address: string;
    readonly round: number;
  }
  /** Nobody answered for ten minutes; the call is over. */
  | { readonly kind: "unanswered"; readonly address: string }
  /** The other person is there: texts can be said. Comes on both sides. */
  | { readonly kind: "answered"; readonly address: string }
  /** The other person does not want to talk, or has no room. */
  | {
    readonly kind: "refused";
    readonly address: string;
    readonly reason: Exclude<HangUpReason, "bye">;
  }
  /** The conversation is over. So many of one's own texts were not acknowledged. */
  | {
    readonly kind: "ended";
    readonly address: string;
    readonly reason: TalkEnd;
    readonly undelivered: number;
  }
  /** A text has come: each once, in the order in which they were said. */
  | {
    readonly kind: "text";
    readonly address: string;
    /** 16 hex digits, chosen by the writer. */
    readonly id: string;
    readonly text: string;
    /** By the writer's clock, in milliseconds since 1970. */
    readonly sentAt: number;
  }
  /** One's own text has come further; `round` is the start of the round that it is in. */
  | {
    readonly kind: "state";
    readonly address: string;
    /** 16 hex digits, as `say` gave it. */
    readonly id: string;
    readonly state: TextState;
    readonly round?: number;
  }
  /** See `ConversationEvent`. */
  | {
    readonly kind: "generation";
    readonly address: string;
    readonly generation: number;
  }
  /** A round in which one was at the drop with that person is over; there are such after the end, too. */
  | {
    readonly kind: "round";
    readonly address: string;
    readonly round: number;
    readonly outcome: RoundOutcome;
  };
