import type { Bytes, Message } from "../protocol/mod.ts";
import { CommandWriter, fromUtf8, utf8 } from "../protocol/mod.ts";
import type { NodeKeyring } from "../identity/mod.ts";
import type { Account, ServerStore } from "../store/mod.ts";
import { AccountError } from "./account_error.ts";

import {
  CERTIFICATE,
  CHANGE_PASSPHRASE,
  CREATED_AT,
  CREDENTIALS,
  DELETE_ACCOUNT,
  DONE,
  KDF_MEMORY,
  KDF_PASSES,
  KDF_SALT,
  OLD_CREDENTIALS,
  PREPARE,
  PREPARED,
  USERNAME,
  WHO_AM_I,
  YOU_ARE,
} from "./commands.ts";
import { openCredentials } from "./credentials.ts";
import type { PassphraseCheck } from "./passphrase_check.ts";
import type { Registration } from "./registration.ts";
import type { ServerSession, Service } from "./server_session.ts";
import { Throttle } from "./throttle.ts";

/** Answers what an account asks about itself. */
export class AccountService implements Service {
  readonly verbs: ReadonlySet<string> = new Set(
    [WHO_AM_I, PREPARE, CHANGE_PASSPHRASE, DELETE_ACCOUNT].map((v) => v.name),
  );
  readonly #store: ServerStore;
  readonly #node: NodeKeyring;
  readonly #registration: Registration;
  readonly #passphrases: PassphraseCheck;
  readonly #deleted: (by: ServerSession) => void;
  readonly #now: () => number;
  /**
   * Guesses at an account's passphrase from its own sessions. They are counted apart from those at
   * the door, so that a stolen session does not keep the owner from logging in.
   */
  readonly #proofs = new Throttle({ free: 5, longest: 900 });

  /** @param deleted is told which session has deleted its account, so that the others end. */
  constructor(
    store: ServerStore,
    node: NodeKeyring,
    registration: Registration,
    passphrases: PassphraseCheck,
    deleted: (by: ServerSession) => void,
    now: () => number,
  ) {
    this.#store = store;
    this.#node = node;
    this.#registration = registration;
    this.#passphrases = passphrases;
    this.#deleted = deleted;
    this.#now = now;
  }

  async handle(session: ServerSession, message: Message): Promise<Bytes> {
    const account = await this.#store.accounts.byAddress(session.address);
    if (account === undefined) {
      throw new AccountError("answer", "unknown-person");
    }
    switch (message.verb) {
      case WHO_AM_I:
        return new CommandWriter().set(USERNAME, utf8(account.address))
          .set(CERTIFICATE, account.certificate)
          .set(CREATED_AT, BigInt(account.createdAt)).verb(YOU_ARE).done();
      case PREPARE:
        return await this.#prepare(account);
      case CHANGE_PASSPHRASE:
        return await this.#changePassphrase(session, account, message);
      default:
        return await this.#delete(session, account, message);
    }
  }

  left(): void {
    // Nothing is kept per session.
  }

  async #prepare(account: Account): Promise<Bytes> {
    const { salt, cost } = await this.#passphrases.stretching(
      account,
      account.address,
    );
    return new CommandWriter().set(KDF_SALT, salt)
      .set(KDF_MEMORY, cost.memoryKiB).set(KDF_PASSES, cost.passes)
      .verb(PREPARED).done();
  }

  /** The keys stay; only what wraps them and what proves the passphrase are replaced. */
  async #changePassphrase(
    session: ServerSession,
    account: Account,
    message: Message,
  ): Promise<Bytes> {
    await this.#proved(session, account, message.need(OLD_CREDENTIALS));
    const { auth } = await openCredentials(
      this.#node,
      message.need(CREDENTIALS),
      session.channelHash,
    );
    await this.#store.accounts.changePassphrase(
      account.address,
      await this.#registration.passphraseRecord(message, auth),
    );
    return new CommandWriter().verb(DONE).done();
  }

  async #delete(
    session: ServerSession,
    account: Account,
    message: Message,
  ): Promise<Bytes> {
    if (account.kind === "interactive") {
      await this.#proved(session, account, message.get(CREDENTIALS));
    }
    // The name is repeated, so that no accident deletes an account.
    if (fromUtf8(message.need(USERNAME)) !== account.address) {
      throw new AccountError("delete the account", "credentials");
    }
    await this.#store.accounts.delete(account.address);
    this.#deleted(session);
    return new CommandWriter().verb(DONE).done();
  }

  /** A stolen session is not enough: the passphrase has to be known. */
  async #proved(
    session: ServerSession,
    account: Account,
    sealed: Bytes | undefined,
  ): Promise<void> {
    this.#checkProofs(account);
    const holds = sealed !== undefined &&
      await this.#holds(session, account, sealed);
    // Looked at again, or many guesses made at once would all be answered.
    this.#checkProofs(account);
    if (holds) return this.#proofs.succeeded(account.address);
    this.#proofs.failed(account.address, this.#now() / 1_000);
    throw new AccountError("change the account", "credentials");
  }

  #checkProofs({ address }: Account): void {
    const wait = this.#proofs.wait(address, this.#now() / 1_000);
    if (wait > 0) {
      throw new AccountError("change the account", "throttled", wait);
    }
  }

  async #holds(
    session: ServerSession,
    account: Account,
    sealed: Bytes,
  ): Promise<boolean> {
    try {
      const { auth } = await openCredentials(
        this.#node,
        sealed,
        session.channelHash,
      );
      return await this.#passphrases.holds(account, auth);
    } catch (error) {
      if (!(error instanceof AccountError)) throw error;
      return false;
    }
  }
}
