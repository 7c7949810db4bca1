import type { Bytes } from "../../protocol/mod.ts";
import { randomBytes } from "../../protocol/mod.ts";
import { cutText, MessageType } from "../../peer/mod.ts";
import { sealMessage } from "../session.ts";
import type { OutgoingMessage } from "../session.ts";
import type { Contact } from "./contact.ts";
import { CONTACTS } from "./contact.ts";
import type { Correspondent } from "./correspondent.ts";
import { entryKey, HISTORY } from "./history_entry.ts";
import { OUTBOX, outboxKey } from "./outbox_letter.ts";
import type { OutboxLetter } from "./outbox_letter.ts";
import type { SessionRecord } from "./session_record.ts";
import { sessionKey, SESSIONS } from "./session_record.ts";
import type { Transaction } from "./transaction.ts";

/** A letter that a transaction has put into the outbox. */
export interface Sealed {
  readonly key: string;
  readonly letter: OutboxLetter;
}

/** Ids of texts that one READ names at most. */
const IDS_TOGETHER = 49;

/** Seals every text that waits for it, in the session to write in; nothing if there is none. */
export async function sealWaiting(
  transaction: Transaction,
  self: Correspondent,
  address: string,
): Promise<Sealed[]> {
  const blinded = await self.blind(address);
  const contact = await transaction.read(CONTACTS, blinded);
  const id = contact?.sessions[0];
  if (contact === undefined || id === undefined) return [];
  if (contact.changed !== null || contact.unsealed.length === 0) return [];
  const key = sessionKey(blinded, id);
  let record: SessionRecord | undefined = await transaction.read(SESSIONS, key);
  if (record === undefined) return [];
  const sealed: Sealed[] = [];
  for (const number of contact.unsealed) {
    const place = entryKey(blinded, number);
    const entry = await transaction.read(HISTORY, place);
    // What was asked for again may have arrived meanwhile.
    const arrived = entry?.state === "delivered" || entry?.state === "read";
    if (entry === undefined || arrived) continue;
    const parts = cutText({
      id: entry.textId,
      sentAt: entry.sentAt,
      text: entry.text,
    });
    const first: number = record.session.nextSeq;
    const result = await sealAll(
      transaction,
      self,
      address,
      record,
      parts.map((part) => ({ type: MessageType.TEXT, ...part })),
      number,
    );
    sealed.push(...result.sealed);
    const last = result.record.session.nextSeq - 1;
    record = {
      ...result.record,
      undelivered: [...result.record.undelivered, {
        entry: number,
        first,
        last,
      }],
    };
    transaction.write(HISTORY, place, {
      ...entry,
      state: "queued",
      reason: "",
      unposted: parts.length,
    });
  }
  transaction.write(SESSIONS, key, record);
  transaction.write(CONTACTS, blinded, { ...contact, unsealed: [] });
  return sealed;
}

/** Seals messages that belong to no text of the history. */
export async function sealControl(
  transaction: Transaction,
  self: Correspondent,
  address: string,
  sessionId: Bytes,
  messages: readonly OutgoingMessage[],
): Promise<Sealed[]> {
  const key = sessionKey(await self.blind(address), sessionId);
  const record = await transaction.read(SESSIONS, key);
  if (record === undefined) return [];
  const result = await sealAll(transaction, self, address, record, messages, 0);
  transaction.write(SESSIONS, key, result.record);
  return result.sealed;
}

/** Says which texts were shown, and forgets that they were not. */
export async function sealRead(
  transaction: Transaction,
  self: Correspondent,
  contact: Contact,
): Promise<Sealed[]> {
  const id = contact.sessions[0];
  if (id === undefined || contact.changed !== null) return [];
  const messages: OutgoingMessage[] = [];
  for (let at = 0; at < contact.unread.length; at += IDS_TOGETHER) {
    const ids = contact.unread.slice(at, at + IDS_TOGETHER);
    const payload = new Uint8Array(ids.length * 8);
    ids.forEach((each, i) => payload.set(each, i * 8));
    messages.push({ type: MessageType.READ, flags: 0, payload });
  }
  return await sealControl(transaction, self, contact.address, id, messages);
}

async function sealAll(
  transaction: Transaction,
  self: Correspondent,
  address: string,
  record: SessionRecord,
  messages: readonly OutgoingMessage[],
  entry: number,
): Promise<{ record: SessionRecord; sealed: Sealed[] }> {
  let { session } = record;
  const sealed: Sealed[] = [];
  for (const message of messages) {
    const result = await sealMessage(session, self.keyring, message);
    session = result.session;
    const letterId = randomBytes(16);
    const letter = { letterId, address, entry, letter: result.letter };
    const key = outboxKey(self.now(), letterId);
    transaction.write(OUTBOX, key, letter);
    sealed.push({ key, letter });
  }
  return { record: { ...record, session }, sealed };
}
