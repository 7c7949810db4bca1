import { randomBytes } from "../../protocol/mod.ts";
import { NO_CERTIFICATE } from "./address_book.ts";
import { CONTACTS, newContact } from "./contact.ts";
import type { Correspondent } from "./correspondent.ts";
import { entryKey, HISTORY, TEXT_IDS, textKey } from "./history_entry.ts";
import type { HistoryEntry } from "./history_entry.ts";
import type { Transaction } from "./transaction.ts";

/** Puts a text of one's own into the history, to be sealed when there is a session to do it in. */
export async function writeText(
  transaction: Transaction,
  self: Correspondent,
  address: string,
  text: string,
): Promise<HistoryEntry> {
  const blinded = await self.blind(address);
  const contact = await transaction.read(CONTACTS, blinded) ??
    newContact(address, NO_CERTIFICATE);
  const now = self.now();
  const entry: HistoryEntry = {
    number: contact.nextEntry,
    outgoing: true,
    textId: randomBytes(8),
    text,
    sentAt: now,
    at: now,
    state: "queued",
    reason: "",
    unposted: 0,
  };
  transaction.write(HISTORY, entryKey(blinded, entry.number), entry);
  transaction.write(TEXT_IDS, textKey(blinded, entry.textId), entry.number);
  transaction.write(CONTACTS, blinded, {
    ...contact,
    nextEntry: entry.number + 1,
    unsealed: [...contact.unsealed, entry.number],
  });
  return entry;
}
