import { CONTACTS } from "./contact.ts";
import type { Correspondent } from "./correspondent.ts";
import { entryKey, HISTORY } from "./history_entry.ts";
import type { HistoryEntry } from "./history_entry.ts";
import { SESSIONS } from "./session_record.ts";
import { transact } from "./transaction.ts";

/** A text that the server has dropped because nobody fetched it. */
export interface Expired {
  readonly address: string;
  readonly entry: HistoryEntry;
}

/**
 * Marks one's own texts as failed that the server has kept for as long as it keeps letters, without
 * a word from the other side. Should a receipt still come, it counts.
 *
 * @param retention of the server, in seconds.
 */
export async function markExpired(
  self: Correspondent,
  retention: number,
): Promise<Expired[]> {
  const oldest = self.now() - retention * 1_000;
  const expired: Expired[] = [];
  for (const { body } of await self.vault.list(CONTACTS.kind)) {
    const { address } = CONTACTS.decode(body);
    const blinded = await self.blind(address);
    const records = await self.vault.list(SESSIONS.kind, {
      prefix: `${blinded}/`,
    });
    const undelivered = records.flatMap(({ body }) =>
      SESSIONS.decode(body).undelivered
    );
    if (undelivered.length === 0) continue;
    const entries = await transact(self.vault, async (transaction) => {
      const changed: HistoryEntry[] = [];
      for (const { entry: number } of undelivered) {
        const key = entryKey(blinded, number);
        const entry = await transaction.read(HISTORY, key);
        if (entry?.state !== "stored" || entry.at > oldest) continue;
        const failed: HistoryEntry = {
          ...entry,
          state: "failed",
          reason: "nobody fetched it in time",
        };
        transaction.write(HISTORY, key, failed);
        changed.push(failed);
      }
      return changed;
    });
    expired.push(...entries.map((entry) => ({ address, entry })));
  }
  return expired;
}
