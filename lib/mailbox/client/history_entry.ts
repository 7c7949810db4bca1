import type { Bytes } from "../../protocol/mod.ts";
import {
  fromUtf8,
  MalformedError,
  Reader,
  utf8,
  Writer,
} from "../../protocol/mod.ts";
import { TEXT_LIMIT } from "../../peer/mod.ts";
import type { RecordKind } from "./transaction.ts";

/**
 * How far a text has come. Of one's own: `queued` (only here), `stored` (on the server's disk),
 * `delivered` (the other's machine has said so, end to end), `read` (it was shown), `failed`.
 * Of another's: `received`, `shown`.
 */
export type EntryState =
  | "queued"
  | "stored"
  | "delivered"
  | "read"
  | "failed"
  | "received"
  | "shown";

const STATES: readonly EntryState[] = [
  "queued",
  "stored",
  "delivered",
  "read",
  "failed",
  "received",
  "shown",
];

/** One text of a conversation. */
export interface HistoryEntry {
  /** Place in the conversation, from 1. */
  readonly number: number;
  /** Whether it is one's own. */
  readonly outgoing: boolean;
  /** The same on both sides, 8 bytes. */
  readonly textId: Bytes;
  /** What was written. */
  readonly text: string;
  /** By the writer's clock, in milliseconds since 1970. */
  readonly sentAt: number;
  /** When it came in here or, of one's own, was written and then stored; milliseconds since 1970. */
  readonly at: number;
  /** How far it has come. */
  readonly state: EntryState;
  /** Why it is not further; empty if nothing is wrong. */
  readonly reason: string;
  /** Letters of it that the server has not stored yet. */
  readonly unposted: number;
}

/** History entries by blinded address and number. */
export const HISTORY: RecordKind<HistoryEntry> = {
  kind: "history",
  encode(entry) {
    return new Writer(entry.text.length + 64).u32(entry.number)
      .u8(entry.outgoing ? 1 : 0)
      .u8(STATES.indexOf(entry.state))
      .bytes(entry.textId)
      .u64(BigInt(entry.sentAt))
      .u64(BigInt(entry.at))
      .u16(entry.unposted)
      .prefixed(1, utf8(entry.reason))
      .prefixed(4, utf8(entry.text))
      .done();
  },
  decode(bytes) {
    const reader = new Reader(bytes);
    const number = reader.u32();
    const outgoing = reader.u8() === 1;
    const state = STATES[reader.u8()];
    if (state === undefined) {
      throw new MalformedError("Cannot read a history entry: unknown state");
    }
    const entry = {
      number,
      outgoing,
      state,
      textId: reader.take(8),
      sentAt: Number(reader.u64()),
      at: Number(reader.u64()),
      unposted: reader.u16(),
      reason: fromUtf8(reader.prefixed(1, 255)),
      text: fromUtf8(reader.prefixed(4, TEXT_LIMIT)),
    };
    reader.end();
    return entry;
  },
};

/** Which entry a text id stands for: entry numbers by blinded address and id. */
export const TEXT_IDS: RecordKind<number> = {
  kind: "text",
  encode: (number) => new Writer(4).u32(number).done(),
  decode(bytes) {
    const reader = new Reader(bytes);
    const number = reader.u32();
    reader.end();
    return number;
  },
};

/** The key of an entry; keys are in the order of numbers. */
export function entryKey(blinded: string, number: number): string {
  return `${blinded}/${String(number).padStart(10, "0")}`;
}

/** The key of a text id. */
export function textKey(blinded: string, id: Bytes): string {
  return `${blinded}/${id.toHex()}`;
}
