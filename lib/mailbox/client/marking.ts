import type { Bytes } from "../../protocol/mod.ts";
import { CONTACTS } from "./contact.ts";
import type { Correspondent } from "./correspondent.ts";
import { entryKey, HISTORY, TEXT_IDS, textKey } from "./history_entry.ts";
import { sealRead } from "./sealing.ts";
import type { Sealed } from "./sealing.ts";
import type { Transaction } from "./transaction.ts";

/** Marks what has come from somebody as shown, up to the history entry `last`; what says so to them. */
export async function markShown(
  transaction: Transaction,
  self: Correspondent,
  address: string,
  last: number,
): Promise<Sealed[]> {
  const contact = await self.contact(transaction, address);
  if (contact === undefined) return [];
  const blinded = await self.blind(address);
  const shown: Bytes[] = [];
  const unread: Bytes[] = [];
  for (const id of contact.unread) {
    const number = await transaction.read(TEXT_IDS, textKey(blinded, id)) ?? 0;
    if (number > last) {
      unread.push(id);
      continue;
    }
    shown.push(id);
    const key = entryKey(blinded, number);
    const entry = await transaction.read(HISTORY, key);
    if (entry === undefined) continue;
    transaction.write(HISTORY, key, { ...entry, state: "shown" });
  }
  if (shown.length === 0) return [];
  transaction.write(CONTACTS, blinded, { ...contact, unread });
  return await sealRead(transaction, self, { ...contact, unread: shown });
}
