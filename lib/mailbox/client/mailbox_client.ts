import type { Bytes, Message } from "../../protocol/mod.ts";
import {
  CommandWriter,
  CryptoError,
  fromUtf8,
  MalformedError,
  randomBytes,
  utf8,
  Writer,
} from "../../protocol/mod.ts";
import type { ClientSession, PushHandler } from "../../account/mod.ts";
import { AccountError, CERTIFICATE } from "../../account/mod.ts";
import type { Keyring } from "../../identity/mod.ts";
import type { Vault } from "../../store/mod.ts";
import {
  ACKNOWLEDGE,
  DELIVER,
  FETCH_PREKEYS,
  FIND_PERSON,
  LETTER,
  LETTER_ID,
  MOVED,
  ONE_TIME_PREKEYS,
  PERSON,
  POST,
  PREKEY_BUNDLE,
  RETENTION,
  SEQUENCE,
  SEQUENCES,
  WAITING,
} from "../commands.ts";
import { MessageType } from "../peer_message.ts";
import {
  parseBundle,
  parseOneTimePrekeys,
  PrekeyError,
} from "../prekey_bundle.ts";
import { startSession } from "../session_start.ts";
import { AddressBook, NO_CERTIFICATE } from "./address_book.ts";
import { CONTACTS, newContact } from "./contact.ts";
import { Correspondent } from "./correspondent.ts";
import { entryKey, HISTORY, TEXT_IDS, textKey } from "./history_entry.ts";
import type { EntryState, HistoryEntry } from "./history_entry.ts";
import type { MailboxEvent } from "./mailbox_event.ts";
import { openLetters } from "./opening.ts";
import type { ArrivedLetter } from "./opening.ts";
import { OUTBOX } from "./outbox_letter.ts";
import type { OutboxLetter } from "./outbox_letter.ts";
import { PrekeySupply } from "./prekey_supply.ts";
import { sealControl, sealRead, sealWaiting } from "./sealing.ts";
import type { Sealed } from "./sealing.ts";
import { newSessionRecord, sessionKey, SESSIONS } from "./session_record.ts";
import { transact } from "./transaction.ts";

/** What a mailbox needs. */
export interface MailboxClientOptions {
  readonly vault: Vault;
  readonly keyring: Keyring;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of what happens, after it was saved. */
  readonly onEvent: (event: MailboxEvent) => void;
}

/** What the server said when the mailbox was opened. */
export interface Opened {
  /** Letters that wait. */
  readonly waiting: number;
  /** Seconds for which the server keeps a letter. */
  readonly retention: number;
}

/**
 * A person's mailbox at the client: writes and reads texts, end to end encrypted, with or without a
 * connection. Everything is in the vault before it is told or sent, so that a process that dies loses
 * nothing and repeats nothing; several processes may share a vault.
 */
export class MailboxClient {
  readonly book: AddressBook;
  readonly #self: Correspondent;
  readonly #supply: PrekeySupply;
  readonly #onEvent: (event: MailboxEvent) => void;
  #session: ClientSession | undefined;
  readonly #posting = new Map<string, Promise<void>>();
  /** One piece of work per person at a time: two would only undo each other's transactions. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Sessions that senders were asked to seal again, so that they are asked once per connection. */
  readonly #asked = new Set<string>();

  private constructor(options: MailboxClientOptions) {
    const { vault, keyring, now } = options;
    this.#self = new Correspondent(vault, keyring, now);
    this.#supply = new PrekeySupply(this.#self);
    this.book = new AddressBook(this.#self);
    this.#onEvent = options.onEvent;
  }

  static async open(options: MailboxClientOptions): Promise<MailboxClient> {
    const client = new MailboxClient(options);
    await client.#supply.prepare();
    return client;
  }

  /** To be given to the session that is attached. */
  readonly onPush: PushHandler = async (messages: readonly Message[]) => {
    if (messages.some(({ verb }) => verb === MOVED)) {
      this.#onEvent({ kind: "moved" });
    }
    const bySender = Map.groupBy(
      messages.filter(({ verb }) => verb === DELIVER),
      (message) => fromUtf8(message.need(PERSON)),
    );
    await Promise.all(
      [...bySender].map(([address, letters]) =>
        this.#receive(
          address,
          letters.map((message) => ({
            sequence: message.need(SEQUENCE),
            letter: message.need(LETTER),
          })),
        )
      ),
    );
  };

  /**
   * Goes on over a connection: posts what waits here and, if asked to, fetches what waits there and
   * what comes.
   *
   * @throws {AccountError} "moved" if another device has taken the account over (see `takeOver`).
   */
  async attach(
    session: ClientSession,
    { receive }: { receive: boolean },
  ): Promise<Opened | undefined> {
    await this.#supply.announce(session);
    this.#session = session;
    this.#asked.clear();
    session.ended.then(() => {
      if (this.#session === session) this.#session = undefined;
    });
    this.flush().catch(
      () => {/* the connection is gone; the next one goes on */},
    );
    if (!receive) return undefined;
    const opened = await this.#supply.open(session);
    await this.#supply.replenish(session, opened);
    return {
      waiting: opened.get(WAITING) ?? 0,
      retention: opened.get(RETENTION) ?? 0,
    };
  }

  /** Makes this device the one that holds the sessions, from the next `attach` on. */
  takeOver(): Promise<void> {
    return this.#supply.takeOver();
  }

  /**
   * Writes a text to somebody; the number of its history entry. It is saved when the promise
   * resolves, and goes on its way as soon as there is a connection.
   *
   * @throws {RangeError} if it is longer than 64 KiB of UTF-8.
   */
  async send(address: string, text: string): Promise<number> {
    const number = await this.#inTurn(address, async () => {
      const { entry, sealed } = await transact(
        this.#self.vault,
        async (transaction) => {
          const blinded = await this.#self.blind(address);
          const contact = await transaction.read(CONTACTS, blinded) ??
            newContact(address, NO_CERTIFICATE);
          const now = this.#self.now();
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
          transaction.write(
            TEXT_IDS,
            textKey(blinded, entry.textId),
            entry.number,
          );
          transaction.write(CONTACTS, blinded, {
            ...contact,
            nextEntry: entry.number + 1,
            unsealed: [...contact.unsealed, entry.number],
          });
          const sealed = await sealWaiting(transaction, this.#self, address);
          return { entry, sealed };
        },
      );
      this.#onEvent({ kind: "state", address, entry });
      this.#postAll(sealed);
      return entry.number;
    });
    if (this.#session !== undefined) await this.#begin(address);
    return number;
  }

  /** Marks everything that has come from somebody as shown, and says so to them. */
  markRead(address: string): Promise<void> {
    return this.#inTurn(address, async () => {
      const sealed = await transact(this.#self.vault, async (transaction) => {
        const contact = await this.#self.contact(transaction, address);
        if (contact === undefined || contact.unread.length === 0) return [];
        const blinded = await this.#self.blind(address);
        for (const id of contact.unread) {
          const number = await transaction.read(TEXT_IDS, textKey(blinded, id));
          const key = entryKey(blinded, number ?? 0);
          const entry = await transaction.read(HISTORY, key);
          if (entry === undefined) continue;
          transaction.write(HISTORY, key, { ...entry, state: "shown" });
        }
        transaction.write(CONTACTS, blinded, { ...contact, unread: [] });
        return await sealRead(transaction, this.#self, contact);
      });
      this.#postAll(sealed);
    });
  }

  /** Fetches somebody's certificate and trusts it on first use. */
  async find(address: string): Promise<void> {
    const answer = await this.#online().request(
      new CommandWriter().set(PERSON, utf8(address)).verb(FIND_PERSON).done(),
    );
    await this.#pin(address, answer.need(CERTIFICATE));
  }

  /** Begins what has not begun and posts what was not posted; resolves when each was tried. */
  async flush(): Promise<void> {
    const waiting = (await this.book.contacts())
      .filter(({ unsealed }) => unsealed.length > 0);
    await Promise.all(waiting.map(({ address }) => this.#begin(address)));
    const records = await this.#self.vault.list(OUTBOX.kind);
    this.#postAll(
      records.map(({ key, body }) => ({ key, letter: OUTBOX.decode(body) })),
    );
    await Promise.all(this.#posting.values());
  }

  /** Resolves when nothing that was begun is under way any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#turns.values(), ...this.#posting.values()]);
  }

  #online(): ClientSession {
    if (this.#session === undefined) {
      throw new AccountError("ask the server", "internal");
    }
    return this.#session;
  }

  /** Makes sure that there is a session to write to somebody in, and seals what waits for it. */
  async #begin(address: string): Promise<void> {
    await this.#inTurn(address, async () => {
      const contact = await this.book.contact(address);
      if (contact === undefined || contact.unsealed.length === 0) return;
      try {
        if (contact.sessions.length === 0) await this.#startSession(address);
      } catch (error) {
        await this.#cannotBegin(address, error);
        return;
      }
      this.#postAll(
        await transact(
          this.#self.vault,
          (transaction) => sealWaiting(transaction, this.#self, address),
        ),
      );
    });
  }

  async #startSession(address: string): Promise<void> {
    const answer = await this.#online().request(
      new CommandWriter().set(PERSON, utf8(address)).verb(FETCH_PREKEYS).done(),
    );
    if (await this.#pin(address, answer.need(CERTIFICATE)) === "changed") {
      return;
    }
    const peer = (await this.book.certificate(address))!;
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
    const session = await startSession(
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
        sessions: [session.id, ...contact.sessions],
      });
      transaction.write(
        SESSIONS,
        sessionKey(blinded, session.id),
        newSessionRecord(session),
      );
    });
  }

  /** What waits for a session stays in the queue, with the reason; a person who is not there fails it. */
  async #cannotBegin(address: string, error: unknown): Promise<void> {
    const unknown = error instanceof AccountError &&
      error.reason === "unknown-person";
    const reason = unknown
      ? "there is no such person"
      : error instanceof PrekeyError || error instanceof MalformedError ||
          error instanceof CryptoError
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

  async #pin(address: string, certificate: Bytes): Promise<string> {
    const pinning = await this.book.pin(address, certificate);
    if (pinning === "new") this.#onEvent({ kind: "new-contact", address });
    if (pinning === "changed") {
      this.#onEvent({ kind: "identity-changed", address });
    }
    return pinning;
  }

  async #receive(
    address: string,
    letters: readonly ArrivedLetter[],
  ): Promise<void> {
    if (await this.book.certificate(address) === undefined) {
      await this.find(address);
    }
    const opening = await this.#inTurn(address, async () => {
      const opening = await transact(
        this.#self.vault,
        (transaction) => openLetters(transaction, this.#self, address, letters),
      );
      this.#acknowledge(opening.acknowledged);
      this.#postAll(opening.sealed);
      for (const event of opening.events) this.#onEvent(event);
      return opening;
    });
    if (opening.held) await this.find(address);
    for (const id of opening.unknown) this.#askAgain(address, id);
    const waiting = await this.book.contact(address);
    if ((waiting?.unsealed.length ?? 0) > 0) await this.#begin(address);
  }

  #acknowledge(sequences: readonly bigint[]): void {
    if (sequences.length === 0) return;
    const writer = new Writer(sequences.length * 8);
    for (const sequence of sequences) writer.u64(sequence);
    this.#session?.request(
      new CommandWriter(64).set(SEQUENCES, writer.done()).verb(ACKNOWLEDGE)
        .done(),
    ).catch(() => {
      // The letters come again with the next connection and are known by then.
    });
  }

  /** Asks a sender to seal again what this device cannot read. */
  async #askAgain(address: string, lost: Bytes): Promise<void> {
    const name = `${address} ${lost.toHex()}`;
    if (this.#asked.has(name)) return;
    this.#asked.add(name);
    await this.#inTurn(address, async () => {
      try {
        const contact = await this.book.contact(address);
        if (contact?.sessions.length === 0) await this.#startSession(address);
        const id = (await this.book.contact(address))?.sessions[0];
        if (id === undefined) return;
        const message = { type: MessageType.RETRY, flags: 0, payload: lost };
        this.#postAll(
          await transact(
            this.#self.vault,
            (t) => sealControl(t, this.#self, address, id, [message]),
          ),
        );
      } catch {
        // Without a connection or prekeys it is asked again when the next such letter comes.
        this.#asked.delete(name);
      }
    });
  }

  #postAll(sealed: readonly Sealed[]): void {
    if (this.#session === undefined) return;
    for (const { key, letter } of sealed) {
      if (this.#posting.has(key)) continue;
      const posting = this.#post(this.#session, key, letter)
        .catch(() => {/* the connection is gone; the next one posts it */})
        .finally(() => this.#posting.delete(key));
      this.#posting.set(key, posting);
    }
  }

  async #post(
    session: ClientSession,
    key: string,
    letter: OutboxLetter,
  ): Promise<void> {
    try {
      await session.request(
        new CommandWriter(letter.letter.length + 128)
          .set(PERSON, utf8(letter.address)).set(LETTER_ID, letter.letterId)
          .set(LETTER, letter.letter).verb(POST).done(),
      );
      await this.#posted(key, letter, "");
    } catch (error) {
      if (!(error instanceof AccountError)) throw error;
      await this.#posted(key, letter, error.reason);
    }
  }

  /** @param refusal why the server did not take the letter; empty if it did. */
  async #posted(
    key: string,
    letter: OutboxLetter,
    refusal: string,
  ): Promise<void> {
    const { address, entry: number } = letter;
    const waits = refusal !== "" && refusal !== "unknown-person";
    const changed = await transact(this.#self.vault, async (transaction) => {
      if (await transaction.read(OUTBOX, key) === undefined) return undefined;
      if (!waits) transaction.remove(OUTBOX, key);
      if (number === 0) return undefined;
      const place = entryKey(await this.#self.blind(address), number);
      const entry = await transaction.read(HISTORY, place);
      if (entry === undefined) return undefined;
      const next = afterPosting(entry, refusal, waits);
      transaction.write(HISTORY, place, next);
      return next.state === entry.state && next.reason === entry.reason
        ? undefined
        : next;
    });
    if (changed !== undefined) {
      this.#onEvent({ kind: "state", address, entry: changed });
    }
  }

  async #inTurn<T>(address: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(address) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(work);
    const turn = mine.catch(() => {});
    this.#turns.set(address, turn);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(address) === turn) this.#turns.delete(address);
    }
  }
}

/** The words of a refusal, as the history shows them. */
const REASONS: Readonly<Record<string, string>> = {
  "mailbox-full": "the mailbox is full",
  "unknown-person": "there is no such person",
};

function afterPosting(
  entry: HistoryEntry,
  refusal: string,
  waits: boolean,
): HistoryEntry {
  if (refusal !== "") {
    const reason = REASONS[refusal] ?? "the server refused it";
    return waits ? { ...entry, reason } : { ...entry, state: "failed", reason };
  }
  const unposted = Math.max(0, entry.unposted - 1);
  const stored = unposted === 0 && entry.state === "queued";
  return {
    ...entry,
    unposted,
    state: stored ? "stored" : entry.state,
    reason: "",
  };
}
