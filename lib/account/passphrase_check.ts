import type { Argon2Cost, Bytes } from "../protocol/mod.ts";
import {
  concat,
  equalConstantTime,
  hkdfSha256,
  hmacSha256,
  randomBytes,
  utf8,
} from "../protocol/mod.ts";
import { DEFAULT_COST } from "../identity/mod.ts";
import type { Account } from "../store/mod.ts";

const PEPPER_INFO = utf8("sotto auth pepper");
const SALT_INFO = utf8("sotto salts of nobody");
const EMPTY = new Uint8Array(0);
const SALT_BYTES = 16;

/** What a client needs to stretch its passphrase. */
export interface Stretching {
  readonly salt: Bytes;
  readonly cost: Argon2Cost;
}

/**
 * The server's side of a passphrase: it keeps a salted, keyed hash of `auth`, which is itself what
 * Argon2id made of the passphrase. For a name without an account it answers as if there were one,
 * always the same way, and does the same work.
 */
export class PassphraseCheck {
  readonly #pepper: Promise<Bytes>;
  readonly #saltKey: Promise<Bytes>;

  /** @param storageSecret the server's, 32 bytes. */
  constructor(storageSecret: Bytes) {
    this.#pepper = hkdfSha256(storageSecret, EMPTY, PEPPER_INFO, 32);
    this.#saltKey = hkdfSha256(storageSecret, EMPTY, SALT_INFO, 32);
  }

  /** Salt and hash to be stored for `auth` (32 bytes). */
  async record(auth: Bytes): Promise<{ authSalt: Bytes; authHash: Bytes }> {
    const authSalt = randomBytes(SALT_BYTES);
    return { authSalt, authHash: await this.#hash(authSalt, auth) };
  }

  /** Whether `auth` is that of `account`; for no account, no. */
  async holds(account: Account | undefined, auth: Bytes): Promise<boolean> {
    const salt = account?.authSalt ?? new Uint8Array(SALT_BYTES);
    const expected = account?.authHash ?? EMPTY;
    const hash = await this.#hash(salt, auth);
    return equalConstantTime(hash, expected);
  }

  /** How the passphrase of `address` is stretched, or would be if there were such an account. */
  async stretching(
    account: Account | undefined,
    address: string,
  ): Promise<Stretching> {
    const fake = await hmacSha256(await this.#saltKey, utf8(address));
    return {
      salt: account?.kdfSalt ?? fake.slice(0, SALT_BYTES),
      cost: {
        memoryKiB: account?.kdfMemoryKiB ?? DEFAULT_COST.memoryKiB,
        passes: account?.kdfPasses ?? DEFAULT_COST.passes,
      },
    };
  }

  async #hash(salt: Bytes, auth: Bytes): Promise<Bytes> {
    return await hmacSha256(await this.#pepper, concat(salt, auth));
  }
}
