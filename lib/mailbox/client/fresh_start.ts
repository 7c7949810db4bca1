import { randomBytes } from "../../protocol/mod.ts";
import type { Vault } from "../../store/mod.ts";
import { CONTACTS } from "./contact.ts";
import { DEVICE, DEVICE_KEY } from "./device.ts";
import { SESSIONS } from "./session_record.ts";
import { transact } from "./transaction.ts";

/**
 * Makes a copied vault safe to use: a device of its own, and no session, since the machine that it was
 * copied from may have gone on in them, and to seal from an older state would use keys twice. What was
 * said, the contacts and their pins stay; people seal anew what this device cannot open.
 */
export async function startAfresh(vault: Vault): Promise<void> {
  const contacts = await vault.list(CONTACTS.kind);
  const sessions = await vault.list(SESSIONS.kind);
  await transact(vault, async (transaction) => {
    for (const { key } of contacts) {
      const contact = await transaction.read(CONTACTS, key);
      if (contact === undefined) continue;
      transaction.write(CONTACTS, key, { ...contact, sessions: [] });
    }
    for (const { key } of sessions) {
      await transaction.read(SESSIONS, key);
      transaction.remove(SESSIONS, key);
    }
    const device = await transaction.read(DEVICE, DEVICE_KEY);
    if (device === undefined) return;
    transaction.write(DEVICE, DEVICE_KEY, {
      ...device,
      id: randomBytes(16),
      announced: false,
    });
  });
}
