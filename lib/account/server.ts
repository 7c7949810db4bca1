import type {
  Channel,
  CommandChannel,
  CommandTable,
  RsaKeyPair,
} from "../protocol/mod.ts";
import { answer, Message, RECORD_LIMIT, Vocabulary } from "../protocol/mod.ts";
import type { Incoming } from "../net/mod.ts";
import type { NodeKeyring } from "../identity/mod.ts";
import { parseCertificate } from "../identity/mod.ts";
import type { ServerStore } from "../store/mod.ts";
import { AccountService } from "./account_service.ts";
import type { AttemptLimits } from "./attempt_limits.ts";
import { DEFAULT_ATTEMPT_LIMITS } from "./attempt_limits.ts";
import { Authenticator, LOGIN_DEADLINE } from "./authenticator.ts";
import { ACCOUNT } from "./commands.ts";
import type { GuestService } from "./guest.ts";
import { accountLink } from "./link.ts";
import { PassphraseCheck } from "./passphrase_check.ts";
import type { RegistrationRules } from "./registration.ts";
import { Registration } from "./registration.ts";
import { RequestVocabulary } from "./request_vocabulary.ts";
import type { Service } from "./server_session.ts";
import { ServerSession } from "./server_session.ts";
import { UsrKeys } from "./usr_keys.ts";

/** Silence after which a client counts as gone, in milliseconds. Clients ask every minute. */
export const IDLE_DEADLINE = 150_000;

/** What a server for accounts is made of. */
export interface AccountServerOptions {
  /** What is kept. */
  readonly store: ServerStore;
  /** The server's own keys. */
  readonly node: NodeKeyring;
  /** Who may register. */
  readonly rules: RegistrationRules;
  /** Other services that answer logged-in clients, with their commands. */
  readonly services: readonly Service[];
  /** The commands of those services. */
  readonly tables: readonly CommandTable[];
  /** Services for whoever connects, with or without an account. */
  readonly guests?: readonly GuestService[];
  /** Own MAX-PACKET in bytes. */
  readonly maxPacket?: number;
  /** How often one address may try what is costly. */
  readonly limits?: AttemptLimits;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of what went wrong inside; nothing that a peer can cause at will. */
  readonly failed: (error: unknown) => void;
  /** Stands in for making the RSA pairs of new accounts, half a second each. */
  readonly usrPairsForTesting?: () => Promise<RsaKeyPair>;
}

/** Takes connections from their first byte to their last, for registered and unregistered clients. */
export class AccountServer {
  readonly #options: AccountServerOptions;
  readonly #usrKeys: UsrKeys;
  readonly #authenticator: Authenticator;
  readonly #services: readonly Service[];
  readonly #vocabulary: RequestVocabulary;
  readonly #guests: readonly GuestService[];
  readonly #linkVocabulary: Vocabulary;
  readonly #sessions = new Map<string, Set<ServerSession>>();
  #nextSession = 1;

  /** Makes the parts; nothing is listened to. */
  constructor(options: AccountServerOptions) {
    const { store, node, rules, now } = options;
    this.#options = options;
    this.#usrKeys = new UsrKeys(
      node.storageSecret,
      options.usrPairsForTesting,
    );
    const passphrases = new PassphraseCheck(node.storageSecret);
    const registration = new Registration(
      store,
      rules,
      passphrases,
      this.#usrKeys,
      now,
    );
    this.#authenticator = new Authenticator({
      store,
      node,
      registration,
      passphrases,
      usrKeys: this.#usrKeys,
      maxPacket: options.maxPacket ?? RECORD_LIMIT,
      limits: options.limits ?? DEFAULT_ATTEMPT_LIMITS,
      now,
      failed: options.failed,
    });
    const self = new AccountService(
      store,
      node,
      registration,
      passphrases,
      (by) => this.#endOthers(by),
      now,
    );
    this.#services = [self, ...options.services];
    this.#vocabulary = new RequestVocabulary(ACCOUNT, ...options.tables);
    this.#guests = options.guests ?? [];
    this.#linkVocabulary = new Vocabulary(
      ACCOUNT,
      ...this.#guests.map(({ table }) => table),
    );
  }

  /** How many clients are logged in. */
  get sessions(): number {
    let count = 0;
    for (const sessions of this.#sessions.values()) count += sessions.size;
    return count;
  }

  /**
   * Serves one connection until it ends.
   *
   * @throws {ChannelError | MalformedError} when the other side broke a rule or was cut off.
   */
  async accept(incoming: Incoming): Promise<void> {
    incoming.deadline(LOGIN_DEADLINE);
    const { node } = this.#options;
    const channel = await answer(incoming, {
      static: node.dh,
      certificate: node.certificate.bytes,
    });
    if (channel !== undefined) await this.#serve(channel, incoming);
  }

  /** Says CLOSE to every client that is logged in. */
  async closeSessions(): Promise<void> {
    const all = [...this.#sessions.values()].flatMap((each) => [...each]);
    await Promise.all(all.map((session) => session.close()));
  }

  /** Waits for what is under way in the background. */
  async close(): Promise<void> {
    await this.#usrKeys.close();
  }

  async #serve(channel: Channel, incoming: Incoming): Promise<void> {
    const link = accountLink(channel, this.#linkVocabulary);
    const account = await this.#authenticator.authenticate(
      link,
      incoming,
      ({ verb }) => this.#guests.some(({ opens }) => opens.has(verb.name)),
    );
    if (account instanceof Message) {
      await this.#welcome(link, account, incoming);
    }
    if (account === undefined || account instanceof Message) {
      return await channel.close();
    }
    // Until something has come under the session's keys, nobody has proved to hold them.
    const alive = () => incoming.deadline(IDLE_DEADLINE);
    const session = new ServerSession(
      link,
      await parseCertificate(account.certificate),
      this.#nextSession++,
      this.#services,
      this.#vocabulary,
      this.#options.failed,
    );
    this.#enter(session);
    try {
      await session.serve(alive);
      await session.close();
    } finally {
      this.#leave(session);
    }
  }

  async #welcome(
    link: CommandChannel,
    first: Message,
    caller: Incoming,
  ): Promise<void> {
    const service = this.#guests.find(({ opens }) =>
      opens.has(first.verb.name)
    )!;
    const maxPacket = this.#options.maxPacket ?? RECORD_LIMIT;
    try {
      await service.welcome({ link, caller, maxPacket }, first);
    } catch (error) {
      await link.send(this.#authenticator.refusal(error));
    }
  }

  #enter(session: ServerSession): void {
    const sessions = this.#sessions.get(session.address) ?? new Set();
    sessions.add(session);
    this.#sessions.set(session.address, sessions);
  }

  #leave(session: ServerSession): void {
    const sessions = this.#sessions.get(session.address);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#sessions.delete(session.address);
  }

  #endOthers(by: ServerSession): void {
    by.revoke();
    for (const session of this.#sessions.get(by.address) ?? []) {
      if (session !== by) session.close();
    }
  }
}
