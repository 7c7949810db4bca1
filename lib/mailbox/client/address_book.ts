import type { Bytes } from "../../protocol/mod.ts";
import { equalConstantTime, MalformedError } from "../../protocol/mod.ts";
import type { Certificate } from "../../identity/mod.ts";
import type { Contact } from "./contact.ts";
import { CONTACTS, newContact } from "./contact.ts";
import type { Correspondent } from "./correspondent.ts";
import type { HistoryEntry } from "./history_entry.ts";
import { entryKey, HISTORY } from "./history_entry.ts";
import { transact } from "./transaction.ts";

/** Nobody's certificate: stands where none is known yet. */
export const NO_CERTIFICATE: Bytes = new Uint8Array(0);

/** Whether a certificate was new, known, or another than the one that is pinned. */
export type Pinning = "new" | "known" | "changed";

/** Contacts and what was said with them. Nothing here needs a connection. */
export class AddressBook {
  readonly #self: Correspondent;

  /** The book of `self`. */
  constructor(self: Correspondent) {
    this.#self = self;
  }

  /** Everybody letters were exchanged with, by address. */
  async contacts(): Promise<Contact[]> {
    const records = await this.#self.vault.list(CONTACTS.kind);
    return records.map(({ body }) => CONTACTS.decode(body))
      .filter((contact) => !isForgotten(contact))
      .sort((a, b) => a.address < b.address ? -1 : 1);
  }

  /** What is kept about somebody; `undefined` if nothing. */
  contact(address: string): Promise<Contact | undefined> {
    return transact(this.#self.vault, (t) => this.#self.contact(t, address));
  }

  /** The certificate that counts for a contact; `undefined` if none is known yet. */
  async certificate(address: string): Promise<Certificate | undefined> {
    const contact = await this.contact(address);
    return contact === undefined || contact.certificate.length === 0
      ? undefined
      : await this.#self.certificate(contact.certificate);
  }

  /**
   * Trusts a certificate on first use; another one later is remembered and stops everything that
   * would be sent, until `accept`.
   *
   * @throws {MalformedError} if it is not that of `address`, or does not hold.
   */
  async pin(address: string, certificate: Bytes): Promise<Pinning> {
    const parsed = await this.#self.certificate(certificate);
    if (parsed.address !== address) {
      throw new MalformedError("Cannot trust a certificate: it is another's");
    }
    return await transact(this.#self.vault, async (transaction) => {
      const blinded = await this.#self.blind(address);
      const contact = await transaction.read(CONTACTS, blinded) ??
        newContact(address, NO_CERTIFICATE);
      if (contact.certificate.length === 0) {
        transaction.write(CONTACTS, blinded, { ...contact, certificate });
        return "new";
      }
      const pinned = await this.#self.certificate(contact.certificate);
      if (equalConstantTime(pinned.id, parsed.id)) return "known";
      transaction.write(CONTACTS, blinded, {
        ...contact,
        changed: certificate,
      });
      return "changed";
    });
  }

  /**
   * Accepts the certificate that has turned up in place of the pinned one. It counts as unverified,
   * and sessions begin anew.
   *
   * @returns whether there was one.
   */
  accept(address: string): Promise<boolean> {
    return this.#change(
      address,
      (contact) =>
        contact.changed === null ? undefined : {
          ...contact,
          certificate: contact.changed,
          changed: null,
          verified: false,
          sessions: [],
        },
    );
  }

  /** Notes whether the safety number was compared. @returns whether there is such a contact. */
  verify(address: string, verified: boolean): Promise<boolean> {
    return this.#change(address, (contact) => ({ ...contact, verified }));
  }

  /** Forgets a contact and its sessions; what was said stays. @returns whether there was one. */
  remove(address: string): Promise<boolean> {
    return this.#change(
      address,
      (contact) =>
        isForgotten(contact) ? undefined : {
          ...newContact(address, NO_CERTIFICATE),
          nextEntry: contact.nextEntry,
        },
    );
  }

  /** The latest texts of a conversation, oldest first. */
  async history(address: string, limit: number): Promise<HistoryEntry[]> {
    const blinded = await this.#self.blind(address);
    const records = await this.#self.vault.list(HISTORY.kind, {
      prefix: `${blinded}/`,
      limit,
      reverse: true,
    });
    return records.map(({ body }) => HISTORY.decode(body)).reverse();
  }

  /** One text of a conversation, by its number. */
  async entry(
    address: string,
    number: number,
  ): Promise<HistoryEntry | undefined> {
    const key = entryKey(await this.#self.blind(address), number);
    const record = await this.#self.vault.get(HISTORY.kind, key);
    return record === undefined ? undefined : HISTORY.decode(record.body);
  }

  #change(
    address: string,
    change: (contact: Contact) => Contact | undefined,
  ): Promise<boolean> {
    return transact(this.#self.vault, async (transaction) => {
      const blinded = await this.#self.blind(address);
      const contact = await transaction.read(CONTACTS, blinded);
      const changed = contact === undefined ? undefined : change(contact);
      if (changed === undefined) return false;
      transaction.write(CONTACTS, blinded, changed);
      return true;
    });
  }
}

/** Nothing is left but the place in the history behind which they would go on. */
function isForgotten({ certificate, unsealed, unread }: Contact): boolean {
  return certificate.length === 0 && unsealed.length === 0 &&
    unread.length === 0;
}
