import type { Bytes } from "../../protocol/mod.ts";
import { addTextPart, MessageType } from "../../peer/mod.ts";
import type { PeerMessage, SequenceSet, Text } from "../../peer/mod.ts";
import { isDelivered } from "../session.ts";
import type { OpenedLetter } from "../session.ts";
import { CONTACTS } from "./contact.ts";
import type { Correspondent } from "./correspondent.ts";
import type { EntryState, HistoryEntry } from "./history_entry.ts";
import { entryKey, HISTORY, TEXT_IDS, textKey } from "./history_entry.ts";
import type { MailboxEvent } from "./mailbox_event.ts";
import type { SessionRecord } from "./session_record.ts";
import { newSessionRecord, sessionKey, SESSIONS } from "./session_record.ts";
import type { Transaction } from "./transaction.ts";

/** How far one's own text is; it never goes back, except to be sent again. */
const PROGRESS: readonly EntryState[] = [
  "failed",
  "queued",
  "stored",
  "delivered",
  "read",
];

/** Applies one opened message to contacts, history and sessions. */
export class Reception {
  readonly #transaction: Transaction;
  readonly #self: Correspondent;
  readonly #address: string;
  readonly #events: MailboxEvent[] = [];

  constructor(
    transaction: Transaction,
    self: Correspondent,
    address: string,
  ) {
    this.#transaction = transaction;
    this.#self = self;
    this.#address = address;
  }

  /**
   * @param key of the session record, which is written.
   * @param id of the session.
   */
  async take(
    key: string,
    id: Bytes,
    { session, message, fresh }: OpenedLetter,
  ): Promise<readonly MailboxEvent[]> {
    const before = await this.#transaction.read(SESSIONS, key);
    let record: SessionRecord = {
      ...before ?? newSessionRecord(session),
      session,
    };
    if (fresh && message.type === MessageType.TEXT) {
      const { assembly, text } = addTextPart(record.assembly, {
        seq: message.seq,
        flags: message.flags,
        payload: message.payload,
      });
      record = { ...record, assembly };
      if (text !== null) await this.#text(text);
    }
    if (fresh && message.type === MessageType.READ) await this.#read(message);
    record = await this.#delivered(record);
    this.#transaction.write(SESSIONS, key, record);
    if (message.type === MessageType.RETRY) await this.#retry(message, id);
    const missing = missingIn(session.received);
    if (missing > missingIn(before?.session.received ?? session.received)) {
      this.#events.push({ kind: "gap", address: this.#address, missing });
    }
    return this.#events;
  }

  /** A text that came before, in a session that was lost, is not shown again. */
  async #text({ id, sentAt, text }: Text): Promise<void> {
    const blinded = await this.#self.blind(this.#address);
    const idKey = textKey(blinded, id);
    if (await this.#transaction.read(TEXT_IDS, idKey) !== undefined) return;
    const contact = await this.#transaction.read(CONTACTS, blinded);
    if (contact === undefined) return;
    const number = contact.nextEntry;
    const entry: HistoryEntry = {
      number,
      outgoing: false,
      textId: id,
      text,
      sentAt,
      at: this.#self.now(),
      state: "received",
      reason: "",
      unposted: 0,
    };
    this.#transaction.write(HISTORY, entryKey(blinded, number), entry);
    this.#transaction.write(TEXT_IDS, idKey, number);
    this.#transaction.write(CONTACTS, blinded, {
      ...contact,
      nextEntry: number + 1,
      unread: [...contact.unread, id],
    });
    this.#events.push({ kind: "text", address: this.#address, entry });
  }

  async #read({ payload }: PeerMessage): Promise<void> {
    const blinded = await this.#self.blind(this.#address);
    for (let at = 0; at + 8 <= payload.length; at += 8) {
      const key = textKey(blinded, payload.slice(at, at + 8));
      const number = await this.#transaction.read(TEXT_IDS, key);
      if (number !== undefined) await this.#advance(number, "read");
    }
  }

  /** Texts of which every part has arrived at the other side. */
  async #delivered(record: SessionRecord): Promise<SessionRecord> {
    const left = [];
    for (const text of record.undelivered) {
      let whole = true;
      for (let seq = text.first; seq <= text.last && whole; seq++) {
        whole = isDelivered(record.session, seq);
      }
      if (whole) await this.#advance(text.entry, "delivered");
      else left.push(text);
    }
    return left.length === record.undelivered.length
      ? record
      : { ...record, undelivered: left };
  }

  /** The other side cannot read a session: what it has not acknowledged is sealed again. */
  async #retry({ payload }: PeerMessage, arrivedIn: Bytes): Promise<void> {
    const blinded = await this.#self.blind(this.#address);
    const key = sessionKey(blinded, payload);
    const lost = await this.#transaction.read(SESSIONS, key);
    const contact = await this.#transaction.read(CONTACTS, blinded);
    if (lost === undefined || contact === undefined) return;
    const again = lost.undelivered.map(({ entry }) => entry);
    this.#transaction.write(SESSIONS, key, { ...lost, undelivered: [] });
    const lostId = payload.toHex();
    const usable = contact.sessions.filter((id) => id.toHex() !== lostId);
    const others = usable.filter((id) => id.toHex() !== arrivedIn.toHex());
    this.#transaction.write(CONTACTS, blinded, {
      ...contact,
      sessions: arrivedIn.toHex() === lostId ? others : [arrivedIn, ...others],
      // In the order of writing: others may have been written since.
      unsealed: [...new Set([...contact.unsealed, ...again])]
        .toSorted((a, b) => a - b),
    });
  }

  async #advance(number: number, state: EntryState): Promise<void> {
    const key = entryKey(await this.#self.blind(this.#address), number);
    const entry = await this.#transaction.read(HISTORY, key);
    if (entry === undefined || !entry.outgoing) return;
    if (PROGRESS.indexOf(entry.state) >= PROGRESS.indexOf(state)) return;
    const advanced = { ...entry, state, reason: "" };
    this.#transaction.write(HISTORY, key, advanced);
    this.#events.push({
      kind: "state",
      address: this.#address,
      entry: advanced,
    });
  }
}

/** How many messages are missing below the highest that has come. */
function missingIn({ cumulative, ranges }: SequenceSet): number {
  let missing = 0;
  let reached = cumulative;
  for (const { first, last } of ranges) {
    missing += first - reached - 1;
    reached = last;
  }
  return missing;
}
