import type {
  Bytes,
  CommandChannel,
  Message,
  RsaKeyPair,
} from "../protocol/mod.ts";
import {
  ChannelError,
  CommandWriter,
  concat,
  CryptoError,
  fromUtf8,
  HELO,
  MalformedError,
  OLEH,
  randomBytes,
  RECORD_LIMIT,
  RECORD_LIMIT_MINIMUM,
  rsaDecrypt,
  rsaEncrypt,
  utf8,
} from "../protocol/mod.ts";
import type { Incoming } from "../net/mod.ts";
import { TokenBuckets } from "../net/mod.ts";
import type { NodeKeyring } from "../identity/mod.ts";
import { parseCertificate } from "../identity/mod.ts";
import type { Account, ServerStore } from "../store/mod.ts";
import { AccountError } from "./account_error.ts";
import type { AttemptLimits } from "./attempt_limits.ts";
import {
  ABOUT,
  ABOUT_IS,
  CERTIFICATE,
  CERTIFICATE_ID,
  CREDENTIALS,
  KDF_MEMORY,
  KDF_PASSES,
  KDF_SALT,
  KO,
  LOGGED_IN,
  LOGIN,
  MAX_PACKET,
  OK,
  PREPARE,
  PREPARED,
  REASON,
  REGISTER,
  REGISTERED,
  REGISTRATION,
  RETRY_IN,
  SESSION,
  SESSION_KEY,
  SESSION_SHARE,
  USERNAME,
  USR_KEY,
  WRAPPED_KEYS,
  ZONE,
} from "./commands.ts";
import type { Credentials } from "./credentials.ts";
import { openCredentials, SHARE_BYTES } from "./credentials.ts";
import { decoyAccount } from "./decoy_account.ts";
import { LoginThrottles } from "./login_throttles.ts";
import type { PassphraseCheck } from "./passphrase_check.ts";
import type { Registration } from "./registration.ts";
import type { UsrKeys } from "./usr_keys.ts";

/** What a connection may send before somebody has logged in, in bytes. */
export const BUDGET_BEFORE_LOGIN = 65_536;

/** Time from the first byte to a login, in milliseconds. */
export const LOGIN_DEADLINE = 10_000;
/** What making a key pair may take on a small or busy machine, in milliseconds. */
const REGISTRATION_DEADLINE = 60_000;

type Stranger = Pick<Incoming, "group" | "deadline">;

/**
 * The server's part of registering and logging in (SPEC.md §5). Nothing it says before somebody has
 * proved a passphrase tells whether an account exists, except that a name is taken (REGISTER); and
 * what it computes is the same in both cases.
 */
export class Authenticator {
  readonly #store: ServerStore;
  readonly #node: NodeKeyring;
  readonly #registration: Registration;
  readonly #passphrases: PassphraseCheck;
  readonly #usrKeys: UsrKeys;
  readonly #maxPacket: number;
  readonly #now: () => number;
  readonly #registrations: TokenBuckets;
  /** Stands in for accounts that do not exist, so that they cost the same work. */
  readonly #decoy: Promise<Account>;
  readonly #throttles = new LoginThrottles();
  readonly #failed: (error: unknown) => void;

  constructor(parts: {
    store: ServerStore;
    node: NodeKeyring;
    registration: Registration;
    passphrases: PassphraseCheck;
    usrKeys: UsrKeys;
    maxPacket: number;
    limits: AttemptLimits;
    now: () => number;
    failed: (error: unknown) => void;
  }) {
    this.#store = parts.store;
    this.#node = parts.node;
    this.#registration = parts.registration;
    this.#passphrases = parts.passphrases;
    this.#usrKeys = parts.usrKeys;
    this.#maxPacket = parts.maxPacket;
    this.#now = parts.now;
    this.#registrations = new TokenBuckets(parts.limits.registrations);
    this.#decoy = decoyAccount(parts.node, parts.usrKeys);
    this.#failed = parts.failed;
  }

  /**
   * Serves a connection until somebody has logged in.
   *
   * @param caller the other side: its address group, and how long it is waited for.
   * @param isGuest whether a message begins what needs no login.
   * @returns the account; or that message; or `undefined` if the connection ended before.
   * @throws {ChannelError | MalformedError} if the other side broke the rules.
   */
  async authenticate(
    link: CommandChannel,
    caller: Stranger,
    isGuest: (message: Message) => boolean,
  ): Promise<Account | Message | undefined> {
    const until = this.#now() + LOGIN_DEADLINE;
    link.budget = BUDGET_BEFORE_LOGIN;
    for (;;) {
      const message = await link.next();
      if (message === null) return undefined;
      if (isGuest(message)) return message;
      try {
        const account = await this.#perform(message, link, caller, until);
        if (account === undefined) continue;
        return account;
      } catch (error) {
        await link.send(this.refusal(error));
      }
    }
  }

  /** KO for what was refused or failed here; a connection that broke the rules is not answered. */
  refusal(error: unknown): Bytes {
    if (error instanceof ChannelError || error instanceof MalformedError) {
      throw error;
    }
    const isRefusal = error instanceof AccountError;
    if (!isRefusal) this.#failed(error);
    return new CommandWriter()
      .set(REASON, utf8(isRefusal ? error.reason : "internal"))
      .set(RETRY_IN, isRefusal ? error.retryIn : 0).verb(KO).done();
  }

  async #perform(
    message: Message,
    link: CommandChannel,
    caller: Stranger,
    until: number,
  ): Promise<Account | undefined> {
    switch (message.verb) {
      case HELO:
        await link.send(new CommandWriter().verb(OLEH).done());
        return undefined;
      case ABOUT:
        await this.#about(link);
        return undefined;
      case PREPARE:
        await this.#prepare(message, link);
        return undefined;
      case REGISTER:
        await this.#register(message, link, caller, until);
        return undefined;
      case LOGIN:
        return message.get(CERTIFICATE_ID) === undefined
          ? await this.#loginByPassphrase(message, link, caller.group)
          : await this.#loginByKey(message, link);
      default:
        return undefined;
    }
  }

  async #about(link: CommandChannel): Promise<void> {
    const { zones, mode } = this.#registration.rules;
    await link.send(
      new CommandWriter().set(ZONE, utf8(zones[0] ?? ""))
        .set(REGISTRATION, utf8(mode)).set(MAX_PACKET, this.#maxPacket)
        .verb(ABOUT_IS).done(),
    );
  }

  async #prepare(message: Message, link: CommandChannel): Promise<void> {
    const address = addressOf(message);
    const account = await this.#store.accounts.byAddress(address);
    const { salt, cost } = await this.#passphrases.stretching(account, address);
    await link.send(
      new CommandWriter().set(KDF_SALT, salt).set(KDF_MEMORY, cost.memoryKiB)
        .set(KDF_PASSES, cost.passes).verb(PREPARED).done(),
    );
  }

  async #register(
    message: Message,
    link: CommandChannel,
    caller: Stranger,
    until: number,
  ): Promise<void> {
    const wait = this.#registrations.take(caller.group, this.#now());
    if (wait > 0) {
      throw new AccountError("register", "throttled", Math.ceil(wait / 1_000));
    }
    const credentials = await this.#credentials(message, link);
    // The time that the server needs is not the client's, who gets more only with an account.
    caller.deadline(REGISTRATION_DEADLINE);
    let usrKey: Bytes;
    try {
      usrKey = await this.#registration.register(
        message,
        credentials,
        link.hash,
      );
    } catch (error) {
      const left = Math.min(until - this.#now(), LOGIN_DEADLINE);
      caller.deadline(Math.max(left, 1));
      throw error;
    }
    caller.deadline(LOGIN_DEADLINE);
    await link.send(
      new CommandWriter(512).set(USR_KEY, usrKey).verb(REGISTERED).done(),
    );
  }

  /**
   * USERNAME and CREDENTIALS; what follows is the passphrase-protected CERTIFICATE and SESSION-KEY
   * (S2.3), and the client's share of the session secret comes last, in SESSION.
   */
  async #loginByPassphrase(
    message: Message,
    link: CommandChannel,
    group: string,
  ): Promise<Account | undefined> {
    const address = addressOf(message);
    this.#throttles.check(address, group, this.#now());
    const account = await this.#store.accounts.byAddress(address);
    const holds = await this.#holds(account, message, link);
    // Looked at again, or many guesses made at once would all be answered.
    this.#throttles.check(address, group, this.#now());
    if (!holds || account === undefined) {
      this.#throttles.failed(address, group, this.#now());
      throw new AccountError("log in", "credentials");
    }
    this.#throttles.succeeded(address, group);
    const share = randomBytes(SHARE_BYTES);
    const { maxPacket, limit } = this.#negotiate(message);
    link.limit(limit);
    await link.send(
      new CommandWriter(4_096).set(CERTIFICATE, account.certificate)
        .set(WRAPPED_KEYS, account.wrappedKeys ?? undefined)
        .set(USR_KEY, account.usrPublic)
        .set(SESSION_KEY, await sessionKey(account, share, link.hash))
        .set(MAX_PACKET, maxPacket).verb(LOGGED_IN).done(),
    );
    const answer = await link.next();
    if (answer === null) return undefined;
    if (answer.verb !== SESSION) {
      throw new ChannelError(
        "ERR_CHANNEL_VIOLATION",
        `Cannot log in: ${answer.verb.name} came instead of SESSION`,
      );
    }
    const theirs = await this.#share(account, answer, link.hash);
    link.use(await link.mix(concat(theirs, share)));
    await link.send(new CommandWriter().verb(OK).done());
    return account;
  }

  /**
   * CERTIFICATE-ID and SESSION-SHARE; what follows is SESSION-KEY (S2.4). An unknown id and a share
   * for the wrong key get an answer of the same kind, and fall silent at the next record (S2.7).
   */
  async #loginByKey(
    message: Message,
    link: CommandChannel,
  ): Promise<Account | undefined> {
    const id = message.need(CERTIFICATE_ID);
    const account = await this.#store.accounts.byCertificateId(id);
    const addressed = account ?? await this.#decoy;
    const theirs = await this.#share(addressed, message, link.hash);
    const share = randomBytes(SHARE_BYTES);
    const sealed = await sessionKey(addressed, share, link.hash);
    const keys = await link.mix(concat(theirs, share));
    const { maxPacket, limit } = this.#negotiate(message);
    link.limit(limit);
    link.send(
      new CommandWriter(512).set(SESSION_KEY, sealed)
        .set(MAX_PACKET, maxPacket).verb(LOGGED_IN).done(),
    ).catch(() => {/* the next receive says that the connection is gone */});
    link.use(keys);
    if (account !== undefined) return account;
    // Nobody holds the decoy's key: whatever comes does not open, and the channel ends there.
    await link.next();
    return undefined;
  }

  /**
   * The client's half of the session secret; random if it was not made for this account's key, or if
   * this server has lost its half of that, so that the two sides fall silent (S2.7).
   */
  async #share(
    account: Account,
    message: Message,
    label: Bytes,
  ): Promise<Bytes> {
    const sealed = message.need(SESSION_SHARE);
    const usr = await this.#usrKey(account);
    try {
      if (usr === undefined) return randomBytes(SHARE_BYTES);
      const share = await rsaDecrypt(usr.privateKey, sealed, label);
      if (share.length === SHARE_BYTES) return share;
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
    }
    return randomBytes(SHARE_BYTES);
  }

  async #usrKey(account: Account): Promise<RsaKeyPair | undefined> {
    try {
      return await this.#usrKeys.unwrap(
        { publicKey: account.usrPublic, wrapped: account.usrPrivateWrapped },
        account.certificateId,
      );
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      this.#failed(error);
      return undefined;
    }
  }

  async #holds(
    account: Account | undefined,
    message: Message,
    link: CommandChannel,
  ): Promise<boolean> {
    try {
      const { auth } = await this.#credentials(message, link);
      return await this.#passphrases.holds(account, auth);
    } catch (error) {
      if (!(error instanceof AccountError)) throw error;
      // What does not even open counts as a guess.
      return false;
    }
  }

  async #credentials(
    message: Message,
    link: CommandChannel,
  ): Promise<Credentials> {
    return await openCredentials(
      this.#node,
      message.need(CREDENTIALS),
      link.hash,
    );
  }

  #negotiate(message: Message): { maxPacket: number; limit: number } {
    const theirs = message.get(MAX_PACKET) ?? RECORD_LIMIT;
    if (theirs < RECORD_LIMIT_MINIMUM || theirs > RECORD_LIMIT) {
      throw new MalformedError(`Cannot use MAX-PACKET: ${theirs} bytes`);
    }
    return {
      maxPacket: this.#maxPacket,
      limit: Math.min(theirs, this.#maxPacket),
    };
  }
}

/** The server's share, sealed to the account's certificate. */
async function sessionKey(
  account: Account,
  share: Bytes,
  label: Bytes,
): Promise<Bytes> {
  const { rsaKey } = await parseCertificate(account.certificate);
  return await rsaEncrypt(rsaKey, share, label);
}

function addressOf(message: Message): string {
  return fromUtf8(message.need(USERNAME));
}
