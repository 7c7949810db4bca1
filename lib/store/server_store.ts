import type { Bytes } from "../protocol/mod.ts";

/**
 * What a server keeps. Every method is asynchronous, so that an embedded database and one on another
 * machine fit behind it. A promise that resolved means that the change is on disk; one that rejected
 * (with `StoreError`) means that nothing of it is.
 *
 * Times are milliseconds since 1970. An address is compared byte by byte: callers bring it into its
 * one form first.
 */
export interface ServerStore {
  /** Who there is. */
  readonly accounts: AccountStore;
  /** What others need to write to them. */
  readonly prekeys: PrekeyStore;
  /** What waits for them. */
  readonly letters: LetterStore;
  /** Who may come. */
  readonly invites: InviteStore;
  /** What is known of blobs. */
  readonly blobs: BlobStore;

  /** Writes what is queued and lets go of the database. Calls after it reject. Idempotent. */
  close(): Promise<void>;
}

/** An account, as the server sees it. */
export interface Account {
  /** The name by which others reach it; taken for ever, also after the account was deleted. */
  readonly address: string;
  /** Whether its private keys lie at the server, wrapped by a passphrase, or only with its owner. */
  readonly kind: "interactive" | "non-interactive";
  /** The public half of its keyring, self-signed. */
  readonly certificate: Bytes;
  /** SHA-256 of `certificate`, 32 bytes. */
  readonly certificateId: Bytes;
  /** Salt of `authHash`, 16 bytes; null for a non-interactive account, as the next five. */
  readonly authSalt: Bytes | null;
  /** Salted hash of the secret that proves the passphrase, 32 bytes. */
  readonly authHash: Bytes | null;
  /** Salt of Argon2id, 16 bytes. */
  readonly kdfSalt: Bytes | null;
  /** Memory of Argon2id in KiB. */
  readonly kdfMemoryKiB: number | null;
  /** Passes of Argon2id. */
  readonly kdfPasses: number | null;
  /** The private half of its keyring, wrapped by the passphrase. */
  readonly wrappedKeys: Bytes | null;
  /** The public key that the server made for this account. */
  readonly usrPublic: Bytes;
  /** Its private half, wrapped by the server's own key. */
  readonly usrPrivateWrapped: Bytes;
  /** The device that the account is used from, 16 bytes, once it is known. */
  readonly device: Bytes | null;
  /** When it was made. */
  readonly createdAt: number;
}

/** What a changed passphrase replaces. */
export interface PassphraseRecord {
  /** As in `Account`, 16 bytes. */
  readonly authSalt: Bytes;
  /** As in `Account`, 32 bytes. */
  readonly authHash: Bytes;
  /** As in `Account`, 16 bytes. */
  readonly kdfSalt: Bytes;
  /** As in `Account`. */
  readonly kdfMemoryKiB: number;
  /** As in `Account`. */
  readonly kdfPasses: number;
  /** As in `Account`. */
  readonly wrappedKeys: Bytes;
}

/** What came of an attempt to make an account. */
export type AccountCreation =
  | "created"
  /** The address belongs to an account, or did once. */
  | "address-taken"
  /** Another account has this certificate. */
  | "certificate-taken"
  /** The invite is unknown, used up, or expired at the account's `createdAt`. */
  | "invite-invalid";

/** Accounts by address. */
export interface AccountStore {
  /**
   * Makes an account. An invite (32-byte hash; null where none is asked for) loses one use, but only
   * if the account is made.
   */
  create(
    account: Account,
    inviteHash: Bytes | null,
  ): Promise<AccountCreation>;

  /** The account of this address, if there is one. */
  byAddress(address: string): Promise<Account | undefined>;

  /**
   * The account with this certificate, if there is one.
   *
   * @param certificateId 32 bytes.
   */
  byCertificateId(certificateId: Bytes): Promise<Account | undefined>;

  /**
   * Replaces what depends on the passphrase, and nothing else.
   *
   * @throws {StoreError} `ERR_STORE_NO_ACCOUNT` if there is no such account.
   */
  changePassphrase(address: string, record: PassphraseRecord): Promise<void>;

  /**
   * Says which device the account is used from.
   *
   * @param device 16 bytes.
   * @throws {StoreError} `ERR_STORE_NO_ACCOUNT` if there is no such account.
   */
  setDevice(address: string, device: Bytes): Promise<void>;

  /**
   * Deletes an account with its prekeys and all letters to it and from it. Only the fact that the
   * address was in use stays. Does nothing if there is no such account.
   */
  delete(address: string): Promise<void>;

  /** How many accounts there are. */
  count(): Promise<number>;
}

/** A public key that is handed out once. */
export interface OneTimeKey {
  /** An integer from 0 to 2^32 - 1 that rises with every key that the owner makes. */
  readonly id: number;
  /** 32 bytes. */
  readonly key: Bytes;
}

/** What others need to write to somebody who is away. */
export interface PrekeyStore {
  /**
   * Sets the bundle of an account and adds one-time keys. A key whose id is not above every id that
   * was published before is ignored, so that a call that is repeated adds nothing and a key that
   * was handed out cannot come back. With `replace` the one-time keys that are left are dropped
   * first and ids may start anew.
   *
   * @returns how many one-time keys are left.
   * @throws {StoreError} `ERR_STORE_NO_ACCOUNT` if there is no such account.
   */
  publish(
    address: string,
    bundle: Bytes,
    oneTime: readonly OneTimeKey[],
    replace: boolean,
  ): Promise<number>;

  /** The bundle that was published last. */
  bundle(address: string): Promise<Bytes | undefined>;

  /** Takes the one-time key with the lowest id away. No two calls ever get the same key. */
  takeOneTime(address: string): Promise<OneTimeKey | undefined>;

  /** How many one-time keys are left; 0 for an unknown address. */
  left(address: string): Promise<number>;
}

/** A sealed letter on its way in. */
export interface Letter {
  /** The address of the account it is for. */
  readonly recipient: string;
  /** The address it comes from, which need not be an account here. */
  readonly sender: string;
  /** Chosen by the sender, 16 bytes; the same when it sends the letter again. */
  readonly letterId: Bytes;
  /** What was sealed. */
  readonly body: Bytes;
  /** When it came. */
  readonly storedAt: number;
  /** From then on the letter may be dropped and its id forgotten. */
  readonly expiresAt: number;
}

/** A letter that waits for its recipient. */
export interface StoredLetter {
  /** Rises with every letter to this recipient; never used twice. At least 1. */
  readonly sequence: number;
  /** As in `Letter`. */
  readonly sender: string;
  /** As in `Letter`, 16 bytes. */
  readonly letterId: Bytes;
  /** As in `Letter`. */
  readonly body: Bytes;
  /** As in `Letter`. */
  readonly storedAt: number;
}

/** How much may wait for one recipient, or does. */
export interface LetterUsage {
  /** How many. */
  readonly letters: number;
  /** The sum of the lengths of the bodies. */
  readonly bytes: number;
}

/** What came of an attempt to leave a letter. */
export interface LetterAddition {
  /**
   * `duplicate`: this sender has left a letter of this id for this recipient before, and it has not
   * expired, whether or not it has been acknowledged since.
   */
  readonly outcome: "stored" | "duplicate" | "quota" | "unknown-recipient";
  /** That of the letter when `stored`, of the earlier one when `duplicate`, otherwise 0. */
  readonly sequence: number;
}

/** Letters between people, until the recipient acknowledges them. */
export interface LetterStore {
  /** Stores a letter unless that would take what waits for its recipient over `quota`. */
  add(letter: Letter, quota: LetterUsage): Promise<LetterAddition>;

  /** At most `limit` letters for `recipient` with a sequence above `afterSequence`, rising. */
  pending(
    recipient: string,
    afterSequence: number,
    limit: number,
  ): Promise<StoredLetter[]>;

  /**
   * Deletes letters; only their ids are kept until they would have expired.
   *
   * @returns how many of them were there.
   */
  acknowledge(
    recipient: string,
    sequences: readonly number[],
  ): Promise<number>;

  /**
   * Deletes the letters whose `expiresAt` is not after `now`, and forgets their ids. Call it now and
   * then; until it is called expired letters are still delivered.
   *
   * @returns how many waiting letters were deleted.
   */
  expire(now: number): Promise<number>;

  /** What waits for `recipient`. */
  usage(recipient: string): Promise<LetterUsage>;
}

/** A sealed blob on its way from one to others; its bytes are in the spool. */
export interface BlobRecord {
  /** SHA-256 of the capability to read it, 32 bytes. */
  readonly id: Bytes;
  /** SHA-256 of the capability to write it, 32 bytes. */
  readonly writer: Bytes;
  /** Whose quota it counts against: an account's address, or any other name. */
  readonly owner: string;
  /** What readers need to open it, at most 255 bytes. */
  readonly header: Bytes;
  /** Length in bytes, without the header. */
  readonly size: number;
  /** How many may fetch it. */
  readonly downloads: number;
  /** From then on it is gone. */
  readonly expiresAt: number;
}

/** How much may be kept for one owner, or in all. */
export interface BlobUsage {
  /** How many blobs. */
  readonly blobs: number;
  /** The sum of their sizes. */
  readonly bytes: number;
}

/** What is known of blobs. */
export interface BlobStore {
  /**
   * Keeps room for a blob. One that is there already is left as it is: `exists` if everything but
   * its time is the same, `other` if not.
   *
   * @param quota for its owner, and for all blobs together.
   */
  reserve(
    blob: BlobRecord,
    quota: { readonly owner: BlobUsage; readonly total: BlobUsage },
  ): Promise<"reserved" | "exists" | "other" | "quota">;

  /** The blob of an id. */
  byId(id: Bytes): Promise<BlobRecord | undefined>;

  /**
   * Lets a reader have a blob: the same reader again and again, and as many readers as `downloads`
   * says.
   *
   * @param reader 32 bytes.
   * @returns whether it may.
   */
  claim(id: Bytes, reader: Bytes): Promise<boolean>;

  /**
   * A reader has fetched all of it.
   *
   * @returns whether all have who may: then it is forgotten.
   */
  fetched(id: Bytes, reader: Bytes): Promise<boolean>;

  /** Forgets a blob. @returns whether there was one. */
  remove(id: Bytes): Promise<boolean>;

  /** Forgets the blobs whose `expiresAt` is not after `now`. @returns how many. */
  expire(now: number): Promise<number>;

  /** The ids of all blobs. */
  ids(): Promise<Bytes[]>;

  /** What is kept for `owner`, or for all. */
  usage(owner?: string): Promise<BlobUsage>;
}

/** Permission to make accounts. */
export interface Invite {
  /** Hash of the secret that the invited person shows, 32 bytes. */
  readonly hash: Bytes;
  /** How many accounts it is still good for, at least 1. */
  readonly uses: number;
  /** From then on it is good for nothing. */
  readonly expiresAt: number;
  /** The operator's own words. */
  readonly note: string;
}

/** Invites by the hash of their secret. An invite that is used up is gone. */
export interface InviteStore {
  /** Adds an invite; one with the same hash is replaced. */
  create(invite: Invite): Promise<void>;

  /** All invites, also expired ones, the earliest to expire first. */
  list(): Promise<Invite[]>;

  /**
   * Deletes an invite.
   *
   * @returns whether there was such an invite.
   */
  revoke(hash: Bytes): Promise<boolean>;

  /**
   * Deletes the invites whose `expiresAt` is not after `now`.
   *
   * @returns how many.
   */
  expire(now: number): Promise<number>;
}
