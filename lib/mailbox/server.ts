import type { Bytes, Message, Verb } from "../protocol/mod.ts";
import {
  CommandWriter,
  equalConstantTime,
  fromUtf8,
  MalformedError,
  Reader,
} from "../protocol/mod.ts";
import type { ServerSession, Service } from "../account/mod.ts";
import { AccountError, CERTIFICATE, DONE } from "../account/mod.ts";
import type {
  Account,
  LetterUsage,
  ServerStore,
  StoredLetter,
} from "../store/mod.ts";
import {
  ACKNOWLEDGE,
  DEVICE_ID,
  FETCH_PREKEYS,
  FIND_PERSON,
  FOUND,
  LETTER,
  LETTER_ID,
  MOVE_MAILBOX,
  MOVED,
  ONE_TIME_PREKEYS,
  OPEN_MAILBOX,
  OPENED,
  PERSON,
  POST,
  PREKEY_BUNDLE,
  PREKEYS,
  PREKEYS_LEFT,
  PUBLISH_PREKEYS,
  PUBLISHED,
  RETENTION,
  SEQUENCES,
  STORED,
  WAITING,
} from "./commands.ts";
import { Delivery } from "./delivery.ts";
import { FOLLOWING_LETTER_BYTES, OPENING_LETTER_BYTES } from "./letter.ts";
import {
  encodeOneTimePrekeys,
  parseBundle,
  parseOneTimePrekeys,
  PrekeyError,
} from "./prekey_bundle.ts";

/** One-time prekeys that a client may publish at once. */
const PREKEYS_TOGETHER = 200;
/** One-time prekeys that wait for one person at most. */
const PREKEYS_KEPT = 1_000;
/** Letters that a client may acknowledge at once. */
const SEQUENCES_TOGETHER = 4_096;

/** What waits at most for one person, and for how long. */
export interface MailboxLimits {
  /** What may wait for one person. */
  readonly quota: LetterUsage;
  /** Seconds. */
  readonly retention: number;
}

/** 10,000 letters, 16 MiB, 30 days. */
export const DEFAULT_MAILBOX_LIMITS: MailboxLimits = {
  quota: { letters: 10_000, bytes: 16 * 1_048_576 },
  retention: 30 * 86_400,
};

/** Keeps letters until their recipients have them (SPEC.md §6). */
export class MailboxService implements Service {
  readonly verbs: ReadonlySet<string>;
  readonly #store: ServerStore;
  readonly #limits: MailboxLimits;
  readonly #now: () => number;
  readonly #failed: (error: unknown) => void;
  readonly #handlers: ReadonlyMap<
    Verb,
    (session: ServerSession, message: Message) => Promise<Bytes>
  >;
  /** Open mailboxes by address. */
  readonly #open = new Map<string, Map<ServerSession, Delivery>>();
  /** Sessions that are over: what they asked for may still be under way. */
  readonly #gone = new WeakSet<ServerSession>();

  /** `now` gives milliseconds since 1970. */
  constructor(
    store: ServerStore,
    limits: MailboxLimits,
    now: () => number,
    failed: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#limits = limits;
    this.#now = now;
    this.#failed = failed;
    this.#handlers = new Map([
      [POST, (session, message) => this.#post(session, message)],
      [ACKNOWLEDGE, (session, message) => this.#acknowledge(session, message)],
      [FIND_PERSON, (_, message) => this.#find(message)],
      [FETCH_PREKEYS, (_, message) => this.#fetchPrekeys(message)],
      [
        PUBLISH_PREKEYS,
        (session, message) => this.#publish(session, message, false),
      ],
      [
        MOVE_MAILBOX,
        (session, message) => this.#publish(session, message, true),
      ],
      [OPEN_MAILBOX, (session, message) => this.#openMailbox(session, message)],
    ]);
    this.verbs = new Set([...this.#handlers.keys()].map(({ name }) => name));
  }

  handle(session: ServerSession, message: Message): Promise<Bytes> {
    return this.#handlers.get(message.verb)!(session, message);
  }

  left(session: ServerSession): void {
    this.#gone.add(session);
    this.#endDelivery(session);
  }

  /** Drops letters whose time is over; how many. Call it now and then. */
  expire(): Promise<number> {
    return this.#store.letters.expire(this.#now());
  }

  async #post(session: ServerSession, message: Message): Promise<Bytes> {
    const recipient = fromUtf8(message.need(PERSON));
    const body = message.need(LETTER);
    const letterId = message.need(LETTER_ID);
    if (
      body.length !== FOLLOWING_LETTER_BYTES &&
      body.length !== OPENING_LETTER_BYTES
    ) throw new MalformedError(`Cannot take a letter: ${body.length} bytes`);
    const sender = session.address;
    const storedAt = this.#now();
    const { outcome, sequence } = await this.#store.letters.add({
      recipient,
      sender,
      letterId,
      body,
      storedAt,
      expiresAt: storedAt + this.#limits.retention * 1_000,
    }, this.#limits.quota);
    switch (outcome) {
      case "unknown-recipient":
        throw new AccountError("post a letter", "unknown-person");
      case "quota":
        throw new AccountError("post a letter", "mailbox-full");
      case "stored":
        this.#offer(recipient, { sequence, sender, letterId, body, storedAt });
    }
    return new CommandWriter().set(LETTER_ID, letterId).verb(STORED).done();
  }

  #offer(recipient: string, letter: StoredLetter): void {
    const deliveries = this.#open.get(recipient);
    if (deliveries === undefined) return;
    for (const delivery of deliveries.values()) delivery.offer(letter);
  }

  async #acknowledge(session: ServerSession, message: Message): Promise<Bytes> {
    const reader = new Reader(message.need(SEQUENCES));
    const sequences: number[] = [];
    while (reader.left > 0 && sequences.length < SEQUENCES_TOGETHER) {
      sequences.push(Number(reader.u64()));
    }
    reader.end();
    await this.#store.letters.acknowledge(session.address, sequences);
    return new CommandWriter().verb(DONE).done();
  }

  async #find(message: Message): Promise<Bytes> {
    const { certificate } = await this.#person(message);
    return new CommandWriter(1_024).set(CERTIFICATE, certificate).verb(FOUND)
      .done();
  }

  async #fetchPrekeys(message: Message): Promise<Bytes> {
    const { address, certificate } = await this.#person(message);
    const bundle = await this.#store.prekeys.bundle(address);
    const oneTime = await this.#store.prekeys.takeOneTime(address);
    return new CommandWriter(3_072).set(CERTIFICATE, certificate)
      .set(PREKEY_BUNDLE, bundle)
      .set(
        ONE_TIME_PREKEYS,
        oneTime === undefined ? undefined : encodeOneTimePrekeys([
          { id: oneTime.id, publicKey: oneTime.key },
        ]),
      ).verb(PREKEYS).done();
  }

  async #person(message: Message): Promise<Account> {
    const address = fromUtf8(message.need(PERSON));
    const account = await this.#store.accounts.byAddress(address);
    if (account === undefined) {
      throw new AccountError("find a person", "unknown-person");
    }
    return account;
  }

  /** @param move whether the device takes the account over, with prekeys that replace all others. */
  async #publish(
    session: ServerSession,
    message: Message,
    move: boolean,
  ): Promise<Bytes> {
    const { address, certificate } = session;
    const device = message.need(DEVICE_ID);
    const bundle = message.need(PREKEY_BUNDLE);
    await checkBundle(bundle, certificate);
    const oneTime = parseOneTimePrekeys(
      message.need(ONE_TIME_PREKEYS),
      PREKEYS_TOGETHER,
    ).map(({ id, publicKey }) => ({ id, key: publicKey }));
    if (!move) {
      await this.#checkDevice(session, device);
      await this.#checkRoom(session, oneTime.length);
    } else if (!await this.#isCurrent(session, device)) {
      await this.#store.accounts.setDevice(address, device);
      this.#tellOthers(session);
    }
    const left = await this.#store.prekeys.publish(
      address,
      bundle,
      oneTime,
      move,
    );
    return new CommandWriter().set(PREKEYS_LEFT, left).verb(PUBLISHED).done();
  }

  /** The device that was used so far learns that it no longer is. */
  #tellOthers(session: ServerSession): void {
    for (const other of [...this.#open.get(session.address)?.keys() ?? []]) {
      if (other === session) continue;
      this.#endDelivery(other);
      other.push(new CommandWriter().verb(MOVED).done());
    }
  }

  async #openMailbox(session: ServerSession, message: Message): Promise<Bytes> {
    const { address } = session;
    const device = message.need(DEVICE_ID);
    const delivery = this.#beginDelivery(session);
    try {
      await this.#checkDevice(session, device);
      const { letters: waiting } = await this.#store.letters.usage(address);
      const left = await this.#store.prekeys.left(address);
      // It has ended if the device was replaced, or the connection lost, meanwhile.
      if (this.#open.get(address)?.get(session) !== delivery) throw moved();
      delivery.start();
      return new CommandWriter().set(PREKEYS_LEFT, left).set(WAITING, waiting)
        .set(RETENTION, this.#limits.retention).verb(OPENED).done();
    } catch (error) {
      this.#endDelivery(session);
      throw error;
    }
  }

  /** The delivery to a session; it brings nothing before it is started. */
  #beginDelivery(session: ServerSession): Delivery {
    const deliveries = this.#open.get(session.address) ?? new Map();
    const delivery = deliveries.get(session) ??
      new Delivery(session, this.#store.letters, this.#failed);
    if (this.#gone.has(session)) return delivery;
    deliveries.set(session, delivery);
    this.#open.set(session.address, deliveries);
    return delivery;
  }

  #endDelivery(session: ServerSession): void {
    const deliveries = this.#open.get(session.address);
    deliveries?.get(session)?.end();
    deliveries?.delete(session);
    if (deliveries?.size === 0) this.#open.delete(session.address);
  }

  async #checkDevice(session: ServerSession, device: Bytes): Promise<void> {
    if (!await this.#isCurrent(session, device)) throw moved();
  }

  /** Whether it is the device that the account is used from. */
  async #isCurrent(session: ServerSession, device: Bytes): Promise<boolean> {
    const account = await this.#store.accounts.byAddress(session.address);
    const current = account?.device ?? new Uint8Array(0);
    return equalConstantTime(current, device);
  }

  /** Prekeys take up space for as long as nobody asks for them. */
  async #checkRoom(session: ServerSession, count: number): Promise<void> {
    const left = await this.#store.prekeys.left(session.address);
    if (left + count > PREKEYS_KEPT) {
      throw new MalformedError(
        `Cannot publish ${count} prekeys: ${left} are left`,
      );
    }
  }
}

function moved(): AccountError {
  return new AccountError("open the mailbox", "moved");
}

/** A bundle that does not hold would make everybody's first letter fail. */
async function checkBundle(
  bundle: Bytes,
  owner: ServerSession["certificate"],
): Promise<void> {
  try {
    await parseBundle(bundle, owner);
  } catch (cause) {
    if (!(cause instanceof PrekeyError)) throw cause;
    throw new MalformedError("Cannot publish prekeys: they do not hold", {
      cause,
    });
  }
}
