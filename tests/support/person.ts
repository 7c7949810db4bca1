import {
  ACCOUNT,
  ClientSession,
  loginByKey,
  register,
} from "../../lib/account/mod.ts";
import type { Keyring } from "../../lib/identity/mod.ts";
import {
  DEFAULT_MAILBOX_LIMITS,
  MAILBOX,
  MailboxClient,
  MailboxService,
} from "../../lib/mailbox/mod.ts";
import type {
  HistoryEntry,
  MailboxEvent,
  MailboxLimits,
} from "../../lib/mailbox/mod.ts";
import { importAead, Vocabulary } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { Vault } from "../../lib/store/mod.ts";
import { testKeyring } from "./keyrings.ts";
import { testServer } from "./server.ts";
import type { TestServer, TestServerOptions } from "./server.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, MAILBOX);

/** A server with mailboxes. */
export function mailServer(
  options: TestServerOptions = {},
  limits: MailboxLimits = DEFAULT_MAILBOX_LIMITS,
): Promise<TestServer> {
  return testServer({
    ...options,
    withServices: (store) => ({
      services: [
        new MailboxService(store, limits, options.now ?? Date.now, (error) => {
          throw error;
        }),
      ],
      tables: [MAILBOX],
    }),
  });
}

/** Somebody with an account at a test server, over real sockets, in this process. */
export class Person {
  readonly address: string;
  readonly keyring: Keyring;
  readonly mailbox: MailboxClient;
  readonly events: MailboxEvent[] = [];
  readonly #vault: Vault;
  readonly #server: TestServer;
  readonly #usrKey: Bytes;
  readonly #wake = new Set<() => void>();
  #session: ClientSession | undefined;

  private constructor(
    keyring: Keyring,
    mailbox: MailboxClient,
    vault: Vault,
    server: TestServer,
    usrKey: Bytes,
    events: MailboxEvent[],
    wake: Set<() => void>,
  ) {
    this.address = keyring.certificate.address;
    this.keyring = keyring;
    this.mailbox = mailbox;
    this.#vault = vault;
    this.#server = server;
    this.#usrKey = usrKey;
    this.events = events;
    this.#wake = wake;
  }

  /** Registers somebody; `vaultPath` to come back with the same vault. */
  static async make(
    server: TestServer,
    address: string,
    { keyring, vaultPath }: { keyring?: Keyring; vaultPath?: string } = {},
  ): Promise<Person> {
    const keys = keyring ?? await testKeyring(address);
    const link = await server.connect();
    const usrKey = await register(link, server.node.certificate, keys, {});
    await link.close();
    const key = await importAead(new Uint8Array(32));
    const vault = await Vault.open(vaultPath ?? ":memory:", key);
    const events: MailboxEvent[] = [];
    const wake = new Set<() => void>();
    const mailbox = await MailboxClient.open({
      vault,
      keyring: keys,
      now: Date.now,
      onEvent: (event) => {
        events.push(event);
        for (const each of wake) each();
      },
    });
    return new Person(keys, mailbox, vault, server, usrKey, events, wake);
  }

  async connect(receive = true): Promise<ClientSession> {
    const link = await this.#server.connect();
    await loginByKey(link, this.keyring, this.#usrKey);
    const session = new ClientSession(
      link,
      this.keyring,
      VOCABULARY,
      this.mailbox.onPush,
    );
    this.#session = session;
    await this.mailbox.attach(session, { receive });
    return session;
  }

  async disconnect(): Promise<void> {
    await this.mailbox.settled();
    await this.#session?.close();
    this.#session = undefined;
  }

  /** Resolves with what `find` makes of the events, as soon as it makes something of them. */
  async until<T>(
    find: (events: readonly MailboxEvent[]) => T | undefined,
    ms = 10_000,
  ): Promise<T> {
    const end = performance.now() + ms;
    for (;;) {
      const found = find(this.events);
      if (found !== undefined) return found;
      const left = end - performance.now();
      if (left <= 0) {
        throw new Error(
          `Nothing came of waiting; events: ${
            JSON.stringify(this.events.map((e) => e.kind))
          }`,
        );
      }
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.#wake.delete(done);
          resolve();
        };
        const timer = setTimeout(done, left);
        this.#wake.add(done);
      });
    }
  }

  /** The texts that have come, in order, once there are `count` of them. */
  async texts(count: number): Promise<string[]> {
    return await this.until((events) => {
      const texts = events.filter((event) => event.kind === "text")
        .map(({ entry }) => entry.text);
      return texts.length >= count ? texts : undefined;
    });
  }

  /** The entry once it has reached `state`. */
  async reached(number: number, state: HistoryEntry["state"]): Promise<void> {
    await this.until((events) =>
      events.some((event) =>
          event.kind === "state" && event.entry.number === number &&
          event.entry.state === state
        )
        ? true
        : undefined
    );
  }

  async close(): Promise<void> {
    await this.disconnect();
    this.#vault.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
