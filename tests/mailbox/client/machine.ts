import {
  ACCOUNT,
  ClientSession,
  loginByKey,
} from "../../../lib/account/mod.ts";
import { MAILBOX, MailboxClient } from "../../../lib/mailbox/mod.ts";
import type {
  EntryState,
  HistoryEntry,
  MailboxEvent,
} from "../../../lib/mailbox/mod.ts";
import { importAead, Vocabulary } from "../../../lib/protocol/mod.ts";
import { Vault } from "../../../lib/store/mod.ts";
import { enrol } from "../../account/people.ts";
import type { Member } from "../../account/people.ts";
import type { TestServer } from "../../support/server.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, MAILBOX);

export interface MachineOptions {
  /** A file, so that others can open the same vault; in memory if it is left out. */
  readonly vaultPath?: string;
  readonly now?: () => number;
}

/** The program of somebody on one machine: an account's keys, a vault and a mailbox over it. */
export class Machine {
  readonly member: Member;
  readonly mailbox: MailboxClient;
  readonly vault: Vault;
  /** Everything that the user was told, in order. */
  readonly events: MailboxEvent[];
  readonly #server: TestServer;
  readonly #wake: Set<() => void>;
  #session: ClientSession | undefined;

  private constructor(
    member: Member,
    mailbox: MailboxClient,
    vault: Vault,
    events: MailboxEvent[],
    server: TestServer,
    wake: Set<() => void>,
  ) {
    this.member = member;
    this.mailbox = mailbox;
    this.vault = vault;
    this.events = events;
    this.#server = server;
    this.#wake = wake;
  }

  /** Makes an account and a machine to use it from. */
  static async enrol(
    server: TestServer,
    address: string,
    options: MachineOptions = {},
  ): Promise<Machine> {
    return await Machine.of(server, await enrol(server, address), options);
  }

  /** A machine, or one more process on a machine, of somebody who has an account. */
  static async of(
    server: TestServer,
    member: Member,
    { vaultPath = ":memory:", now = Date.now }: MachineOptions = {},
  ): Promise<Machine> {
    const vault = await Vault.open(
      vaultPath,
      await importAead(new Uint8Array(32)),
    );
    const events: MailboxEvent[] = [];
    const wake = new Set<() => void>();
    const mailbox = await MailboxClient.open({
      vault,
      keyring: member.keyring,
      now,
      onEvent: (event) => {
        events.push(event);
        for (const each of wake) each();
      },
    });
    return new Machine(member, mailbox, vault, events, server, wake);
  }

  get address(): string {
    return this.member.keyring.certificate.address;
  }

  async connect({ receive }: { receive: boolean } = { receive: true }): Promise<
    void
  > {
    const link = await this.#server.connect();
    await loginByKey(link, this.member.keyring, this.member.usrKey);
    const session = new ClientSession(
      link,
      this.member.keyring,
      VOCABULARY,
      this.mailbox.onPush,
    );
    try {
      await this.mailbox.attach(session, { receive });
    } catch (error) {
      await session.close();
      throw error;
    }
    this.#session = session;
  }

  /** Lets what was begun come to its end, and says CLOSE. */
  async disconnect(): Promise<void> {
    await this.mailbox.settled();
    await this.#session?.close();
    this.#session = undefined;
  }

  /** The connection is gone from one moment to the next. */
  async lose(): Promise<void> {
    this.#session?.abort();
    await this.#session?.ended;
    this.#session = undefined;
  }

  async reconnect(): Promise<void> {
    await this.disconnect();
    await this.connect();
  }

  /** Resolves with what `find` makes of the events, as soon as it makes something of them. */
  async until<T>(
    find: (events: readonly MailboxEvent[]) => T | undefined,
    ms = 15_000,
  ): Promise<T> {
    const end = performance.now() + ms;
    for (;;) {
      const found = find(this.events);
      if (found !== undefined) return found;
      const left = end - performance.now();
      if (left <= 0) {
        const told = this.events.map((event) =>
          event.kind === "state" ? event.entry.state : event.kind
        );
        throw new Error(`Nothing came of waiting; told: ${told.join(" ")}`);
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

  /** One's own text once it has come to `state`. */
  async reached(number: number, state: EntryState): Promise<HistoryEntry> {
    return await this.until((events) => {
      for (const event of events) {
        if (event.kind !== "state" || event.entry.number !== number) continue;
        if (event.entry.state === state) return event.entry;
      }
      return undefined;
    });
  }

  /** Resolves once the user was told that one's own text is at the server, or further. */
  async left(number: number): Promise<void> {
    await this.until((events) =>
      events.find((event) =>
        event.kind === "state" && event.entry.number === number &&
        ["stored", "delivered", "read"].includes(event.entry.state)
      )
    );
  }

  /** Resolves once the user was told something of this kind. */
  async told<K extends MailboxEvent["kind"]>(
    kind: K,
  ): Promise<Extract<MailboxEvent, { kind: K }>> {
    return await this.until((events) =>
      events.find((event): event is Extract<MailboxEvent, { kind: K }> =>
        event.kind === kind
      )
    );
  }

  /** How often the user was told something of this kind. */
  count(kind: MailboxEvent["kind"]): number {
    return this.events.filter((event) => event.kind === kind).length;
  }

  /** The conversation with somebody as the vault has it. */
  async history(address: string): Promise<HistoryEntry[]> {
    return await this.mailbox.book.history(address, 100_000);
  }

  /** What somebody has written, as the vault has it. */
  async received(address: string): Promise<string[]> {
    return (await this.history(address)).filter(({ outgoing }) => !outgoing)
      .map(({ text }) => text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
    this.vault.close();
  }
}
