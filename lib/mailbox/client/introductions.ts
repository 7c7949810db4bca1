import type { Bytes } from "../../protocol/mod.ts";
import {
  CommandWriter,
  CryptoError,
  MalformedError,
  utf8,
} from "../../protocol/mod.ts";
import type { ClientSession } from "../../account/mod.ts";
import { AccountError, CERTIFICATE } from "../../account/mod.ts";
import {
  FETCH_PREKEYS,
  FIND_PERSON,
  ONE_TIME_PREKEYS,
  PERSON,
  PREKEY_BUNDLE,
} from "../commands.ts";
import {
  parseBundle,
  parseOneTimePrekeys,
  PrekeyError,
} from "../prekey_bundle.ts";
import { SessionError } from "../session_error.ts";
import { startSession } from "../session_start.ts";
import type { AddressBook, Pinning } from "./address_book.ts";
import { CONTACTS } from "./contact.ts";
import type { Correspondent } from "./correspondent.ts";
import { entryKey, HISTORY } from "./history_entry.ts";
import type { EntryState, HistoryEntry } from "./history_entry.ts";
import type { MailboxEvent } from "./mailbox_event.ts";
import { newSessionRecord, sessionKey, SESSIONS } from "./session_record.ts";
import { transact } from "./transaction.ts";

/** Gets to know people by what the server says of them, and begins sessions with them. */
export class Introductions {
  readonly #self: Correspondent;
  readonly #book: AddressBook;
  readonly #onEvent: (event: MailboxEvent) => void;

  constructor(
    self: Correspondent,
    book: AddressBook,
    onEvent: (event: MailboxEvent) => void,
  ) {
    this.#self = self;
    this.#book = book;
    this.#onEvent = onEvent;
  }

  /** Fetches somebody's certificate. @throws {AccountError} "unknown-person". */
  async find(session: ClientSession, address: string): Promise<void> {
    const answer = await session.request(
      new CommandWriter().set(PERSON, utf8(address)).verb(FIND_PERSON).done(),
    );
    await this.pin(address, answer.need(CERTIFICATE));
  }

  /** Trusts a certificate on first use, and tells when it is another one than before. */
  async pin(address: string, certificate: Bytes): Promise<Pinning> {
    const pinning = await this.#book.pin(address, certificate);
    if (pinning === "new") this.#onEvent({ kind: "new-contact", address });
    if (pinning === "changed") {
      this.#onEvent({ kind: "identity-changed", address });
    }
    return pinning;
  }

  /**
   * Fetches somebody's prekeys and begins a session to write to them in.
   *
   * @throws {AccountError} "unknown-person".
   * @throws {PrekeyError | MalformedError} if the prekeys do not hold, or there are none yet.
   */
  async start(session: ClientSession, address: string): Promise<void> {
    const answer = await session.request(
      new CommandWriter().set(PERSON, utf8(address)).verb(FETCH_PREKEYS).done(),
    );
    if (await this.pin(address, answer.need(CERTIFICATE)) === "changed") {
      return;
    }
    const peer = (await this.#book.certificate(address))!;
    const encoded = answer.get(PREKEY_BUNDLE);
    if (encoded === undefined) {
      throw new PrekeyError(
        "ERR_PREKEY_UNKNOWN",
        "Cannot write yet: the person has not logged in anywhere",
      );
    }
    const [oneTime = null] = parseOneTimePrekeys(
      answer.get(ONE_TIME_PREKEYS) ?? new Uint8Array(0),
      1,
    );
    const begun = await startSession(
      this.#self.keyring,
      peer,
      await parseBundle(encoded, peer),
      oneTime,
    );
    await transact(this.#self.vault, async (transaction) => {
      const blinded = await this.#self.blind(address);
      const contact = await transaction.read(CONTACTS, blinded);
      if (contact === undefined) return;
      transaction.write(CONTACTS, blinded, {
        ...contact,
        sessions: [begun.id, ...contact.sessions],
      });
      transaction.write(
        SESSIONS,
        sessionKey(blinded, begun.id),
        newSessionRecord(begun),
      );
    });
  }

  /** What waits for a session stays in the queue, with the reason; a person who is not there fails it. */
  async noteFailure(address: string, error: unknown): Promise<void> {
    const unknown = error instanceof AccountError &&
      error.reason === "unknown-person";
    const reason = unknown
      ? "there is no such person"
      : error instanceof PrekeyError || error instanceof MalformedError ||
          error instanceof SessionError || error instanceof CryptoError
      ? error.message
      : "";
    const changed = await transact(this.#self.vault, async (transaction) => {
      const blinded = await this.#self.blind(address);
      const contact = await transaction.read(CONTACTS, blinded);
      if (contact === undefined || reason === "") return [];
      const entries: HistoryEntry[] = [];
      for (const number of contact.unsealed) {
        const key = entryKey(blinded, number);
        const entry = await transaction.read(HISTORY, key);
        if (entry === undefined) continue;
        const state: EntryState = unknown ? "failed" : entry.state;
        entries.push({ ...entry, state, reason });
        transaction.write(HISTORY, key, { ...entry, state, reason });
      }
      if (unknown) {
        transaction.write(CONTACTS, blinded, { ...contact, unsealed: [] });
      }
      return entries;
    });
    for (const entry of changed) {
      this.#onEvent({ kind: "state", address, entry });
    }
  }
}
