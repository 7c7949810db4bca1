import type { Keyring } from "../../lib/identity/mod.ts";
import {
  encodeKeyring,
  generateSecret,
  openKeyFile,
  parseKeyring,
  readPrivateFile,
  sealKeyFile,
  writePrivateFile,
} from "../../lib/identity/mod.ts";
import { startAfresh } from "../../lib/mailbox/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { hkdfSha256, importAead, utf8 } from "../../lib/protocol/mod.ts";
import { Vault } from "../../lib/store/mod.ts";
import type { Io } from "../io.ts";
import { privateDirectory, profilePath } from "../paths.ts";
import type { Exported } from "./export_file.ts";
import { formatAccount, parseAccount, readAccount } from "./profile_account.ts";
import type { ProfileAccount } from "./profile_account.ts";
import { NO_ROUTE_FLAGS, Route } from "./route.ts";
import { readSecret, unlockProfile, writeSecret } from "./profile_secret.ts";
import type { ProfileFlags } from "./profile_secret.ts";

/**
 * A profile is one account on one machine, a directory of its own:
 *
 *     account.json    address, server, kind, and the key that the server made for the account
 *     profile.key     the profile's secret, sealed by the passphrase (interactive accounts)
 *     profile.secret  the same, bare, for accounts that work without a person
 *     keyring.key     the account's keys, sealed by the secret
 *     vault.db        contacts, letters and sessions, sealed by the secret
 *
 * `login` leaves the secret in the runtime directory until `logout`, so that one need not type the
 * passphrase for every command.
 *
 * @module
 */

const VAULT_INFO = utf8("sotto vault");
const EMPTY = new Uint8Array(0);

/** A profile that is unlocked. */
export class Profile {
  readonly directory: string;
  readonly account: ProfileAccount;
  readonly keyring: Keyring;
  readonly vault: Vault;
  /** The way to its server. */
  readonly route: Route;
  readonly #secret: Bytes;

  private constructor(
    directory: string,
    account: ProfileAccount,
    keyring: Keyring,
    vault: Vault,
    route: Route,
    secret: Bytes,
  ) {
    this.directory = directory;
    this.account = account;
    this.keyring = keyring;
    this.vault = vault;
    this.route = route;
    this.#secret = secret;
  }

  get address(): string {
    return this.account.address;
  }

  /**
   * Opens a profile, with the secret that `login` has left, or the passphrase.
   *
   * @throws {CommandError} if there is no such profile, or the passphrase is wrong.
   */
  static async open(io: Io, flags: ProfileFlags): Promise<Profile> {
    const directory = profilePath(io, flags.profile);
    const account = await readAccount(directory, flags.profile);
    const secret = await readSecret(io, flags, directory, account);
    const route = new Route(io, flags, account.onion);
    return await Profile.#openWith(directory, account, route, secret);
  }

  /**
   * Makes a profile.
   *
   * @param route to the server; the profile closes it.
   * @param passphrase of an interactive account; null for one that works without a person.
   */
  static async create(
    io: Io,
    name: string | undefined,
    account: ProfileAccount,
    keyring: Keyring,
    passphrase: string | null,
    route: Route,
  ): Promise<Profile> {
    const directory = await privateDirectory(profilePath(io, name));
    const secret = generateSecret();
    await writeSecret(directory, secret, passphrase);
    await writePrivateFile(
      `${directory}/keyring.key`,
      await sealKeyFile("account", await encodeKeyring(keyring), { secret }),
    );
    await writePrivateFile(`${directory}/account.json`, formatAccount(account));
    return await Profile.#openWith(directory, account, route, secret);
  }

  /** Everything that another machine needs to go on with this account. */
  async exported(): Promise<Exported> {
    const copy = await Deno.makeTempFile({ dir: this.directory });
    try {
      this.vault.copyTo(copy);
      return {
        account: formatAccount(this.account),
        secret: this.#secret,
        keyring: await readPrivateFile(`${this.directory}/keyring.key`),
        vault: await Deno.readFile(copy),
      };
    } finally {
      await Deno.remove(copy);
    }
  }

  /**
   * Makes a profile of what another machine has exported.
   *
   * @param askPassphrase asked, with the address, for the passphrase that locks it on this machine.
   */
  static async import(
    io: Io,
    name: string | undefined,
    exported: Exported,
    askPassphrase: (address: string) => Promise<string>,
  ): Promise<Profile> {
    const account = parseAccount(exported.account);
    const passphrase = account.interactive
      ? await askPassphrase(account.address)
      : null;
    const directory = await privateDirectory(profilePath(io, name));
    await writeSecret(directory, exported.secret, passphrase);
    await writePrivateFile(`${directory}/keyring.key`, exported.keyring);
    await Deno.writeFile(`${directory}/vault.db`, exported.vault, {
      mode: 0o600,
    });
    await writePrivateFile(`${directory}/account.json`, formatAccount(account));
    const profile = await Profile.#openWith(
      directory,
      account,
      new Route(io, NO_ROUTE_FLAGS, account.onion),
      exported.secret,
    );
    await startAfresh(profile.vault);
    return profile;
  }

  static async #openWith(
    directory: string,
    account: ProfileAccount,
    route: Route,
    secret: Bytes,
  ): Promise<Profile> {
    const path = `${directory}/keyring.key`;
    const keyring = await parseKeyring(
      await openKeyFile(await readPrivateFile(path), "account", { secret }),
    );
    const raw = await hkdfSha256(secret, EMPTY, VAULT_INFO, 32);
    const key = await importAead(raw);
    const vault = await Vault.open(`${directory}/vault.db`, key);
    return new Profile(directory, account, keyring, vault, route, secret);
  }

  /** Seals the profile's secret by another passphrase. */
  async changePassphrase(passphrase: string): Promise<void> {
    await writeSecret(this.directory, this.#secret, passphrase);
  }

  /** Leaves the secret where commands find it until `lock`. */
  async unlock(io: Io): Promise<void> {
    if (!this.account.interactive) return;
    await unlockProfile(io, this.directory, this.#secret);
  }

  /** Lets go of everything; circuits that are still open end behind it. */
  close(): void {
    this.vault.close();
    this.route.close().catch(() => {/* nobody is left to be told */});
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Whether there is a profile of this name. */
export async function profileExists(
  io: Io,
  name: string | undefined,
): Promise<boolean> {
  try {
    await Deno.lstat(`${profilePath(io, name)}/account.json`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
