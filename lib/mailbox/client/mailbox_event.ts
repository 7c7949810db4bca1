import type { HistoryEntry } from "./history_entry.ts";

/** What is worth telling a user, as it happens; it is saved before it is told. */
export type MailboxEvent =
  /** A text has come. */
  | {
    readonly kind: "text";
    readonly address: string;
    readonly entry: HistoryEntry;
  }
  /** One's own text has come further, or not. */
  | {
    readonly kind: "state";
    readonly address: string;
    readonly entry: HistoryEntry;
  }
  /** Somebody's certificate was seen for the first time and is trusted from now on. */
  | { readonly kind: "new-contact"; readonly address: string }
  /** Somebody's certificate is another one now; nothing is sent until the user decides. */
  | { readonly kind: "identity-changed"; readonly address: string }
  /** Letters before one that came are missing; they may still come, or be withheld. */
  | { readonly kind: "gap"; readonly address: string; readonly missing: number }
  /** Something came that could not be read. */
  | {
    readonly kind: "unreadable";
    readonly address: string;
    readonly why: string;
  }
  /** Another device has taken the account over. */
  | { readonly kind: "moved" };
