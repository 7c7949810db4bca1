import type { Bytes, Message } from "../../protocol/mod.ts";
import {
  CommandWriter,
  fromUtf8,
  MalformedError,
  Writer,
} from "../../protocol/mod.ts";
import type { ClientSession, PushHandler } from "../../account/mod.ts";
import { AccountError } from "../../account/mod.ts";
import type { Keyring } from "../../identity/mod.ts";
import type { Vault } from "../../store/mod.ts";
import {
  ACKNOWLEDGE,
  DELIVER,
  LETTER,
  MOVED,
  PERSON,
  RETENTION,
  SEQUENCE,
  SEQUENCES,
  WAITING,
} from "../commands.ts";
import { MessageType } from "../../peer/mod.ts";
import { AddressBook } from "./address_book.ts";
import { markExpired } from "./expiry.ts";
import { Correspondent } from "./correspondent.ts";
import { Introductions } from "./introductions.ts";
import type { MailboxEvent } from "./mailbox_event.ts";
import { markShown } from "./marking.ts";
import { openLetters } from "./opening.ts";
import type { ArrivedLetter, LostLetter } from "./opening.ts";
import { Outbox } from "./outbox.ts";
import { OwnTexts } from "./own_texts.ts";
import { PrekeySupply } from "./prekey_supply.ts";
import { sealControl, sealWaiting } from "./sealing.ts";
import type { Sealed } from "./sealing.ts";
import { transact } from "./transaction.ts";
import { Turns } from "./turns.ts";
import { writeText } from "./writing.ts";

/** Sessions that senders are asked to seal again, in one connection. */
const ASKED_LIMIT = 100;

/** What a mailbox needs. */
export interface MailboxClientOptions {
  /** Where everything is kept. */
  readonly vault: Vault;
  /** The account's keys. */
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
  /** Contacts and what was said with them. */
  readonly book: AddressBook;
  readonly #self: Correspondent;
  readonly #supply: PrekeySupply;
  readonly #onEvent: (event: MailboxEvent) => void;
  #session: ClientSession | undefined;
  readonly #ownTexts: OwnTexts;
  readonly #outbox: Outbox;
  readonly #introductions: Introductions;
  /** One piece of work per person at a time: two would only undo each other's transactions. */
  readonly #turns = new Turns();
  /** Sessions that senders were asked to seal again, so that they are asked once per connection. */
  readonly #asked = new Set<string>();

  private constructor(options: MailboxClientOptions) {
    const { vault, keyring, now } = options;
    this.#self = new Correspondent(vault, keyring, now);
    this.#supply = new PrekeySupply(this.#self);
    this.book = new AddressBook(this.#self);
    this.#ownTexts = new OwnTexts(this.#self, options.onEvent);
    this.#onEvent = this.#ownTexts.tell;
    this.#outbox = new Outbox(this.#self, this.#onEvent);
    this.#introductions = new Introductions(
      this.#self,
      this.book,
      this.#onEvent,
    );
  }

  /** Opens a mailbox; makes the prekeys of this device if there are none. */
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
    // Whether the session keys agree shows with the first answer (S2.7).
    await session.ping();
    await this.#supply.announce(session);
    this.#session = session;
    this.#ownTexts.watch(session);
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
    const retention = opened.get(RETENTION) ?? Infinity;
    for (const { address, entry } of await markExpired(this.#self, retention)) {
      this.#onEvent({ kind: "state", address, entry });
    }
    return { waiting: opened.get(WAITING) ?? 0, retention };
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
    const number = await this.#turns.take(address, async () => {
      const { entry, sealed } = await transact(
        this.#self.vault,
        async (transaction) => {
          const entry = await writeText(
            transaction,
            this.#self,
            address,
            text,
          );
          const sealed = await sealWaiting(transaction, this.#self, address);
          return { entry, sealed };
        },
      );
      this.#ownTexts.add(address, entry.number);
      this.#onEvent({ kind: "state", address, entry });
      this.#post(sealed);
      return entry.number;
    });
    if (this.#session !== undefined) await this.#begin(address);
    return number;
  }

  /**
   * Marks what has come from somebody as shown, up to the history entry `last`, and says so to them.
   * What comes while it is being shown must not count as shown: nobody would show it again.
   */
  markRead(address: string, last = Infinity): Promise<void> {
    return this.#turns.take(address, async () => {
      this.#post(
        await transact(
          this.#self.vault,
          (transaction) => markShown(transaction, this.#self, address, last),
        ),
      );
    });
  }

  /** Fetches somebody's certificate and trusts it on first use. */
  async find(address: string): Promise<void> {
    await this.#introductions.find(this.#online(), address);
  }

  /** Posts what was not posted and begins what has not begun; resolves when each was tried. */
  async flush(): Promise<void> {
    await Promise.all([
      // First, so that what is written from now on leaves behind it.
      this.#outbox.postWaiting(this.#online()),
      this.#beginWaiting(),
    ]);
    await this.#outbox.settled();
  }

  /** Resolves when nothing that was begun is under way any more. */
  async settled(): Promise<void> {
    await this.#turns.settled();
    await this.#outbox.settled();
  }

  #online(): ClientSession {
    if (this.#session === undefined) {
      throw new AccountError("ask the server", "internal");
    }
    return this.#session;
  }

  async #beginWaiting(): Promise<void> {
    const waiting = (await this.book.contacts())
      .filter(({ unsealed }) => unsealed.length > 0);
    await Promise.all(waiting.map(({ address }) => this.#begin(address)));
  }

  /** Makes sure that there is a session to write to somebody in, and seals what waits for it. */
  async #begin(address: string): Promise<void> {
    await this.#turns.take(address, async () => {
      const contact = await this.book.contact(address);
      if (contact === undefined || contact.unsealed.length === 0) return;
      try {
        if (contact.sessions.length === 0) {
          await this.#introductions.start(this.#online(), address);
        }
      } catch (error) {
        await this.#introductions.noteFailure(address, error);
        return;
      }
      this.#post(
        await transact(
          this.#self.vault,
          (transaction) => sealWaiting(transaction, this.#self, address),
        ),
      );
    });
  }

  async #receive(
    address: string,
    letters: readonly ArrivedLetter[],
  ): Promise<void> {
    const stranger = await this.book.certificate(address) === undefined;
    const met = stranger ? await this.#meet(address) : "known";
    if (met === "nobody") {
      // Names are never given away again: nobody will ever say more.
      this.#acknowledge(letters.map(({ sequence }) => sequence));
    }
    if (met !== "known") return;
    const held = await this.#open(address, letters, false);
    if (held.length > 0 && await this.#meet(address) === "known") {
      await this.#open(address, held, true);
    }
    const waiting = await this.book.contact(address);
    if ((waiting?.unsealed.length ?? 0) > 0) await this.#begin(address);
    // Whoever answers has fetched letters.
    const session = this.#session;
    if (session !== undefined) await this.#outbox.postAgain(session, address);
  }

  /** Asks who a sender is; if the server cannot say, now or ever, the user is told. */
  async #meet(address: string): Promise<"known" | "unclear" | "nobody"> {
    try {
      await this.find(address);
      return "known";
    } catch (error) {
      const nobody = error instanceof AccountError &&
        error.reason === "unknown-person";
      if (!nobody && !(error instanceof MalformedError)) throw error;
      const why = "Cannot open a letter: the server cannot say who sent it";
      this.#onEvent({ kind: "unreadable", address, why });
      return nobody ? "nobody" : "unclear";
    }
  }

  /** Opens letters and tells what came of it. @returns those of an identity that is not pinned. */
  async #open(
    address: string,
    letters: readonly ArrivedLetter[],
    certain: boolean,
  ): Promise<readonly ArrivedLetter[]> {
    const opening = await this.#turns.take(address, async () => {
      const opening = await transact(
        this.#self.vault,
        (transaction) =>
          openLetters(transaction, this.#self, address, letters, certain),
      );
      this.#acknowledge(opening.acknowledged);
      this.#post(opening.sealed);
      for (const event of opening.events) this.#onEvent(event);
      return opening;
    });
    const bySession = Map.groupBy(
      opening.lost,
      ({ sessionId }) => sessionId.toHex(),
    );
    for (const letters of bySession.values()) this.#askAgain(address, letters);
    return opening.held;
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

  /**
   * Asks a sender to seal again what this device cannot read, letters of one session. The server may
   * forget them only when that is saved, or a process that ends here would leave them unread for ever.
   */
  async #askAgain(
    address: string,
    letters: readonly LostLetter[],
  ): Promise<void> {
    const { sessionId } = letters[0]!;
    const name = `${address} ${sessionId.toHex()}`;
    await this.#turns.take(address, async () => {
      try {
        const asked = this.#asked.has(name) ||
          await this.#ask(address, sessionId);
        if (!asked) return;
        this.#asked.add(name);
        this.#acknowledge(letters.map(({ sequence }) => sequence));
      } catch {
        // Without a connection or prekeys it is asked again when the letters come again.
      }
    });
  }

  /** @returns whether a letter that asks for `lost` to be sealed again is on its way. */
  async #ask(address: string, lost: Bytes): Promise<boolean> {
    if (this.#asked.size >= ASKED_LIMIT) return false;
    const contact = await this.book.contact(address);
    if (contact?.sessions.length === 0) {
      await this.#introductions.start(this.#online(), address);
    }
    const id = (await this.book.contact(address))?.sessions[0];
    if (id === undefined) return false;
    const message = { type: MessageType.RETRY, flags: 0, payload: lost };
    const sealed = await transact(
      this.#self.vault,
      (t) => sealControl(t, this.#self, address, id, [message]),
    );
    this.#post(sealed);
    return sealed.length > 0;
  }

  #post(sealed: readonly Sealed[]): void {
    if (this.#session !== undefined) this.#outbox.post(this.#session, sealed);
  }
}
