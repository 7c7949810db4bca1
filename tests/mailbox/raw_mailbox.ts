import {
  ACCOUNT,
  AccountError,
  ClientSession,
  loginByKey,
} from "../../lib/account/mod.ts";
import type { Refusal } from "../../lib/account/account_error.ts";
import {
  ACKNOWLEDGE,
  DELIVER,
  DEVICE_ID,
  FETCH_PREKEYS,
  FIND_PERSON,
  LETTER,
  LETTER_ID,
  MAILBOX,
  MOVE_MAILBOX,
  MOVED,
  ONE_TIME_PREKEYS,
  OPEN_MAILBOX,
  PERSON,
  POST,
  PREKEY_BUNDLE,
  PREKEYS_LEFT,
  PUBLISH_PREKEYS,
  SEQUENCE,
  SEQUENCES,
  STORED_AT,
} from "../../lib/mailbox/commands.ts";
import {
  DEFAULT_MAILBOX_LIMITS,
  FOLLOWING_LETTER_BYTES,
  MailboxService,
} from "../../lib/mailbox/mod.ts";
import type { MailboxLimits } from "../../lib/mailbox/mod.ts";
import { encodeOneTimePrekeys } from "../../lib/mailbox/prekey_bundle.ts";
import type { OneTimePrekey } from "../../lib/mailbox/prekey_bundle.ts";
import {
  createPrekeys,
  publishBundle,
} from "../../lib/mailbox/prekey_secrets.ts";
import {
  CommandWriter,
  fromUtf8,
  randomBytes,
  utf8,
  Vocabulary,
  Writer,
} from "../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../lib/protocol/mod.ts";
import type { ServerStore } from "../../lib/store/mod.ts";
import { enrol } from "../account/people.ts";
import type { Member } from "../account/people.ts";
import { testRsaPair } from "../support/rsa_pair.ts";
import { testServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, MAILBOX);

/** A test server with mailboxes, at which accounts are made at once. */
export interface MailboxServer extends TestServer {
  readonly mailboxes: MailboxService;
}

export interface MailboxServerOptions {
  readonly limits?: Partial<MailboxLimits>;
  readonly now?: () => number;
  /** What the mailboxes see in place of the store. */
  readonly doctor?: (store: ServerStore) => ServerStore;
}

export async function mailboxServer(
  { limits, now = Date.now, doctor = (store) => store }: MailboxServerOptions =
    {},
): Promise<MailboxServer> {
  let mailboxes: MailboxService | undefined;
  const server: TestServer = await testServer({
    now,
    usrPairsForTesting: testRsaPair,
    withServices: (store) => {
      mailboxes = new MailboxService(
        doctor(store),
        { ...DEFAULT_MAILBOX_LIMITS, ...limits },
        now,
        (error) => server.failures.push(error),
      );
      return { services: [mailboxes], tables: [MAILBOX] };
    },
  });
  return Object.assign(server, { mailboxes: mailboxes! });
}

/** A letter as it was pushed. */
export interface Arrived {
  readonly sequence: number;
  readonly sender: string;
  readonly letterId: string;
  readonly letter: string;
  readonly storedAt: number;
}

/** A client that speaks the commands of mailboxes one by one and understands no letter. */
export class RawMailbox {
  readonly member: Member;
  readonly session: ClientSession;
  /** Every letter that was pushed, in order. */
  readonly arrived: Arrived[] = [];
  /** How many letters each push brought. */
  readonly pushes: number[] = [];
  /** How often it was told that another device has taken over. */
  moved = 0;
  /** Awaited before a push is confirmed. */
  pace: () => Promise<void> = () => Promise.resolve();
  #wake: () => void = () => {};

  private constructor(
    member: Member,
    makeSession: (
      onPush: (messages: readonly Message[]) => Promise<void>,
    ) => ClientSession,
  ) {
    this.member = member;
    this.session = makeSession((messages) => this.#take(messages));
  }

  /** Makes the account and logs in. */
  static async enrol(
    server: TestServer,
    address: string,
  ): Promise<RawMailbox> {
    return await RawMailbox.enter(server, await enrol(server, address));
  }

  /** Logs in on a connection of its own. */
  static async enter(server: TestServer, member: Member): Promise<RawMailbox> {
    const link = await server.connect();
    await loginByKey(link, member.keyring, member.usrKey);
    return new RawMailbox(
      member,
      (onPush) => new ClientSession(link, member.keyring, VOCABULARY, onPush),
    );
  }

  get address(): string {
    return this.member.keyring.certificate.address;
  }

  /** Takes the account over with new prekeys. @returns how many one-time prekeys are left. */
  async move(
    device: Bytes,
    oneTime: readonly OneTimePrekey[] = [],
  ): Promise<number> {
    const answer = await this.session.request(
      publishing(device, await this.bundle(), encodeOneTimePrekeys(oneTime))
        .verb(MOVE_MAILBOX).done(),
    );
    return answer.need(PREKEYS_LEFT);
  }

  /** @returns how many one-time prekeys are left. */
  async publish(
    device: Bytes,
    bundle: Bytes,
    oneTime: Bytes = new Uint8Array(0),
  ): Promise<number> {
    const answer = await this.session.request(
      publishing(device, bundle, oneTime).verb(PUBLISH_PREKEYS).done(),
    );
    return answer.need(PREKEYS_LEFT);
  }

  /** A bundle of new prekeys. */
  async bundle(): Promise<Bytes> {
    return await publishBundle(this.member.keyring, await createPrekeys(1));
  }

  /** @returns OPENED. */
  async open(device: Bytes): Promise<Message> {
    return await this.session.request(
      new CommandWriter().set(DEVICE_ID, device).verb(OPEN_MAILBOX).done(),
    );
  }

  /** Takes the account over and opens the mailbox. @returns the device's id. */
  async begin(): Promise<Bytes> {
    const device = randomBytes(16);
    await this.move(device);
    await this.open(device);
    return device;
  }

  /** Posts one letter. @returns its id. */
  async post(
    recipient: string,
    {
      letterId = randomBytes(16),
      letter = randomBytes(FOLLOWING_LETTER_BYTES),
    }: { letterId?: Bytes; letter?: Bytes } = {},
  ): Promise<Bytes> {
    const answer = await this.session.request(
      new CommandWriter(2_048).set(PERSON, utf8(recipient))
        .set(LETTER_ID, letterId).set(LETTER, letter).verb(POST).done(),
    );
    return answer.need(LETTER_ID);
  }

  /** Posts `count` letters in one go, in order. @returns their ids. */
  async postMany(recipient: string, count: number): Promise<string[]> {
    const ids = await Promise.all(
      Array.from({ length: count }, () => this.post(recipient)),
    );
    return ids.map((id) => id.toHex());
  }

  async acknowledge(sequences: readonly (number | bigint)[]): Promise<void> {
    const writer = new Writer(sequences.length * 8);
    for (const sequence of sequences) writer.u64(BigInt(sequence));
    await this.session.request(
      new CommandWriter(64).set(SEQUENCES, writer.done()).verb(ACKNOWLEDGE)
        .done(),
    );
  }

  /** @returns FOUND. */
  find(person: string): Promise<Message> {
    return this.session.request(
      new CommandWriter().set(PERSON, utf8(person)).verb(FIND_PERSON).done(),
    );
  }

  /** @returns PREKEYS. */
  fetch(person: string): Promise<Message> {
    return this.session.request(
      new CommandWriter().set(PERSON, utf8(person)).verb(FETCH_PREKEYS).done(),
    );
  }

  /** Resolves once `reached` holds of what has been pushed. */
  async until(reached: () => boolean, ms = 20_000): Promise<void> {
    const end = performance.now() + ms;
    while (!reached()) {
      const left = end - performance.now();
      if (left <= 0) {
        throw new Error(`Nothing came of waiting: ${this.arrived.length} came`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The ids of the letters that were pushed, once there are `count`. */
  async ids(count: number): Promise<string[]> {
    await this.until(() => this.arrived.length >= count);
    return this.arrived.map(({ letterId }) => letterId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.close();
  }

  async #take(messages: readonly Message[]): Promise<void> {
    for (const message of messages) {
      if (message.verb === MOVED) this.moved++;
      if (message.verb !== DELIVER) continue;
      this.arrived.push({
        sequence: Number(message.need(SEQUENCE)),
        sender: fromUtf8(message.need(PERSON)),
        letterId: message.need(LETTER_ID).toHex(),
        letter: message.need(LETTER).toHex(),
        storedAt: Number(message.need(STORED_AT)),
      });
    }
    this.pushes.push(messages.length);
    this.#wake();
    await this.pace();
  }
}

/** The reason for which the server refuses; fails if it does not. */
export async function refusal(asked: Promise<unknown>): Promise<Refusal> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof AccountError) return error.reason;
    throw error;
  }
  throw new Error("The server did not refuse");
}

/** Time for things that must not happen. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function publishing(
  device: Bytes,
  bundle: Bytes,
  oneTime: Bytes,
): CommandWriter {
  return new CommandWriter(16_384).set(DEVICE_ID, device)
    .set(PREKEY_BUNDLE, bundle).set(ONE_TIME_PREKEYS, oneTime);
}
