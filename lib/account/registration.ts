import type { Bytes, Message } from "../protocol/mod.ts";
import {
  concat,
  equalConstantTime,
  MalformedError,
  sha256,
  utf8,
  verify,
} from "../protocol/mod.ts";
import type { Certificate } from "../identity/mod.ts";
import {
  parseAddress,
  parseCertificate,
  WRAPPED_LIMIT,
} from "../identity/mod.ts";
import type { Account, PassphraseRecord, ServerStore } from "../store/mod.ts";
import { AccountError } from "./account_error.ts";
import {
  CERTIFICATE,
  KDF_MEMORY,
  KDF_PASSES,
  KDF_SALT,
  SIGNATURE,
  USERNAME,
  WRAPPED_KEYS,
} from "./commands.ts";
import type { Credentials } from "./credentials.ts";
import type { PassphraseCheck } from "./passphrase_check.ts";
import type { UsrKeys } from "./usr_keys.ts";

const LABEL = utf8("sotto registration 1");

/** What a client signs when it registers: label ‖ handshake hash (32) ‖ certificate id (32). */
export function registrationBytes(channelHash: Bytes, id: Bytes): Bytes {
  return concat(LABEL, channelHash, id);
}

/** How a server takes new accounts. */
export interface RegistrationRules {
  /** The zones served; the first is that of names that name none. */
  readonly zones: readonly string[];
  /** Who may register. */
  readonly mode: "open" | "invite";
}

/** The hash under which an invite is stored (32 bytes). */
export function inviteHash(code: Bytes): Promise<Bytes> {
  return sha256(concat(utf8("sotto invite 1"), code));
}

/** What a client has sent, checked. */
interface Request {
  readonly certificate: Certificate;
  readonly passphrase: PassphraseRecord | undefined;
}

/** Makes accounts. */
export class Registration {
  readonly #store: ServerStore;
  readonly rules: RegistrationRules;
  readonly #passphrases: PassphraseCheck;
  readonly #usrKeys: UsrKeys;
  readonly #now: () => number;

  constructor(
    store: ServerStore,
    rules: RegistrationRules,
    passphrases: PassphraseCheck,
    usrKeys: UsrKeys,
    now: () => number,
  ) {
    this.#store = store;
    this.rules = rules;
    this.#passphrases = passphrases;
    this.#usrKeys = usrKeys;
    this.#now = now;
  }

  /**
   * Makes the account that a REGISTER asks for. Asked again with the same certificate, which is what
   * a client does that lost the first answer, it gives the same answer.
   *
   * @returns the public half of the USR key.
   * @throws {AccountError} if the account cannot be made.
   */
  async register(
    message: Message,
    credentials: Credentials,
    channelHash: Bytes,
  ): Promise<Bytes> {
    const { certificate, passphrase } = await this.#check(
      message,
      credentials,
      channelHash,
    );
    const before = await this.#store.accounts.byAddress(certificate.address);
    if (before !== undefined && isOf(certificate, before)) {
      return before.usrPublic;
    }
    const invite = await this.#invite(credentials);
    if (before !== undefined) throw new AccountError("register", "name-taken");
    const usr = await this.#usrKeys.make(certificate.id);
    const outcome = await this.#store.accounts.create({
      address: certificate.address,
      kind: passphrase === undefined ? "non-interactive" : "interactive",
      certificate: certificate.bytes,
      certificateId: certificate.id,
      authSalt: passphrase?.authSalt ?? null,
      authHash: passphrase?.authHash ?? null,
      kdfSalt: passphrase?.kdfSalt ?? null,
      kdfMemoryKiB: passphrase?.kdfMemoryKiB ?? null,
      kdfPasses: passphrase?.kdfPasses ?? null,
      wrappedKeys: passphrase?.wrappedKeys ?? null,
      usrPublic: usr.publicKey,
      usrPrivateWrapped: usr.wrapped,
      device: null,
      createdAt: this.#now(),
    }, invite);
    switch (outcome) {
      case "created":
        return usr.publicKey;
      case "invite-invalid":
        // Somebody else has used it up meanwhile.
        throw new AccountError("register", "invite-invalid");
      default:
        throw new AccountError("register", "name-taken");
    }
  }

  /** What a client sends in place of a passphrase record: at registration and at a change. */
  async passphraseRecord(
    message: Message,
    auth: Bytes,
  ): Promise<PassphraseRecord> {
    const wrappedKeys = message.need(WRAPPED_KEYS);
    if (wrappedKeys.length > WRAPPED_LIMIT) {
      throw new AccountError("take wrapped keys", "too-large");
    }
    return {
      ...await this.#passphrases.record(auth),
      kdfSalt: message.need(KDF_SALT),
      kdfMemoryKiB: message.need(KDF_MEMORY),
      kdfPasses: message.need(KDF_PASSES),
      wrappedKeys,
    };
  }

  async #check(
    message: Message,
    { auth }: Credentials,
    channelHash: Bytes,
  ): Promise<Request> {
    let certificate: Certificate;
    try {
      certificate = await parseCertificate(message.need(CERTIFICATE));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      throw new AccountError("register", "certificate-invalid");
    }
    const { zone } = parseAddress(certificate.address);
    if (!this.rules.zones.includes(zone)) {
      throw new AccountError("register", "zone-unknown");
    }
    const named = equalConstantTime(
      utf8(certificate.address),
      message.need(USERNAME),
    );
    const signed = await verify(
      certificate.signingKey,
      message.need(SIGNATURE),
      registrationBytes(channelHash, certificate.id),
    );
    if (!named || !signed) {
      throw new AccountError("register", "certificate-invalid");
    }
    const interactive = message.get(WRAPPED_KEYS) !== undefined;
    return {
      certificate,
      passphrase: interactive
        ? await this.passphraseRecord(message, auth)
        : undefined,
    };
  }

  /**
   * The hash of the invite that is shown, or null where none is asked for. Whoever has no good one
   * does not learn which names are taken, and does not make the server generate keys.
   */
  async #invite({ invite }: Credentials): Promise<Bytes | null> {
    if (this.rules.mode === "open") return null;
    if (invite.length === 0) {
      throw new AccountError("register", "invite-needed");
    }
    const hash = await inviteHash(invite);
    const now = this.#now();
    const isGood = (await this.#store.invites.list()).some((each) =>
      each.expiresAt > now && equalConstantTime(each.hash, hash)
    );
    if (!isGood) throw new AccountError("register", "invite-invalid");
    return hash;
  }
}

function isOf(certificate: Certificate, account: Account): boolean {
  return equalConstantTime(account.certificateId, certificate.id);
}
