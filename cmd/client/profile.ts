import type { Keyring, ServerAddress } from "../../lib/identity/mod.ts";
import {
  encodeKeyring,
  formatSecret,
  formatServerAddress,
  generateSecret,
  openKeyFile,
  parseAddress,
  parseKeyring,
  parseSecret,
  parseServerAddress,
  readPrivateFile,
  sealKeyFile,
  writePrivateFile,
} from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { hkdfSha256, importAead, utf8 } from "../../lib/protocol/mod.ts";
import { startAfresh } from "../../lib/mailbox/mod.ts";
import { Vault } from "../../lib/store/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { readPassphrase } from "../passphrase.ts";
import { privateDirectory, profilePath, sottoPaths } from "../paths.ts";
import type { Exported } from "./export_file.ts";

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

/** What account.json holds. */
export interface ProfileAccount {
  readonly address: string;
  readonly server: ServerAddress;
  readonly interactive: boolean;
  /** SPKI, 422 bytes. */
  readonly usrKey: Bytes;
}

/** The flags of commands that use a profile; spread them into a command's own table. */
export const PROFILE_FLAGS = {
  "passphrase-file": { type: "string" },
} as const;

/** Their values, with the one that names the profile. */
export interface ProfileFlags {
  readonly profile: string | undefined;
  readonly "passphrase-file": string | undefined;
}

const VAULT_INFO = utf8("sotto vault");
const EMPTY = new Uint8Array(0);

/** A profile that is unlocked. */
export class Profile {
  readonly directory: string;
  readonly account: ProfileAccount;
  readonly keyring: Keyring;
  readonly vault: Vault;
  readonly #secret: Bytes;

  private constructor(
    directory: string,
    account: ProfileAccount,
    keyring: Keyring,
    vault: Vault,
    secret: Bytes,
  ) {
    this.directory = directory;
    this.account = account;
    this.keyring = keyring;
    this.vault = vault;
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
    return await Profile.#openWith(directory, account, secret);
  }

  /**
   * Makes a profile.
   *
   * @param passphrase of an interactive account; null for one that works without a person.
   */
  static async create(
    io: Io,
    name: string | undefined,
    account: ProfileAccount,
    keyring: Keyring,
    passphrase: string | null,
  ): Promise<Profile> {
    const directory = await privateDirectory(profilePath(io, name));
    const secret = generateSecret();
    await writeSecret(directory, secret, passphrase);
    await writePrivateFile(
      `${directory}/keyring.key`,
      await sealKeyFile("account", await encodeKeyring(keyring), { secret }),
    );
    await writePrivateFile(`${directory}/account.json`, formatAccount(account));
    return await Profile.#openWith(directory, account, secret);
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
      exported.secret,
    );
    await startAfresh(profile.vault);
    return profile;
  }

  static async #openWith(
    directory: string,
    account: ProfileAccount,
    secret: Bytes,
  ): Promise<Profile> {
    const path = `${directory}/keyring.key`;
    const keyring = await parseKeyring(
      await openKeyFile(await readPrivateFile(path), "account", { secret }),
    );
    const raw = await hkdfSha256(secret, EMPTY, VAULT_INFO, 32);
    const key = await importAead(raw);
    const vault = await Vault.open(`${directory}/vault.db`, key);
    return new Profile(directory, account, keyring, vault, secret);
  }

  /** Seals the profile's secret by another passphrase. */
  async changePassphrase(passphrase: string): Promise<void> {
    await writeSecret(this.directory, this.#secret, passphrase);
  }

  /** Leaves the secret where commands find it until `lock`. */
  async unlock(io: Io): Promise<void> {
    if (!this.account.interactive) return;
    const path = unlockedPath(io, this.directory);
    await privateDirectory(path.slice(0, path.lastIndexOf("/")));
    await writePrivateFile(path, formatSecret(this.#secret));
  }

  close(): void {
    this.vault.close();
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

/** Takes away what `unlock` has left. @returns whether there was anything. */
export async function lockProfile(
  io: Io,
  name: string | undefined,
): Promise<boolean> {
  try {
    await Deno.remove(unlockedPath(io, profilePath(io, name)));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The account of a profile, which is no secret. @throws {CommandError} if there is none. */
export async function readAccount(
  directory: string,
  name: string | undefined,
): Promise<ProfileAccount> {
  const path = `${directory}/account.json`;
  let text: string;
  try {
    text = await readPrivateFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw new CommandError(`Cannot use ${path}`, { cause });
    }
    const which = name === undefined ? "" : ` --profile ${name}`;
    throw new CommandError(
      name === undefined
        ? "Cannot tell who you are: there is no account on this machine yet"
        : `Cannot use the profile ${name}: there is none`,
      {
        hint:
          `sotto client register NAME --server HOST${which}, or sotto client login NAME@ZONE --server HOST${which}`,
      },
    );
  }
  try {
    return parseAccount(text);
  } catch (cause) {
    throw new CommandError(`Cannot use ${path}: it is damaged`, { cause });
  }
}

function parseAccount(text: string): ProfileAccount {
  const { address, server, interactive, usrKey } = JSON.parse(text);
  return {
    address: parseAddress(String(address)).address,
    server: parseServerAddress(String(server)),
    interactive: interactive === true,
    usrKey: Uint8Array.fromBase64(String(usrKey)),
  };
}

function formatAccount(account: ProfileAccount): string {
  return `${
    JSON.stringify(
      {
        address: account.address,
        server: formatServerAddress(account.server),
        interactive: account.interactive,
        usrKey: account.usrKey.toBase64(),
      },
      null,
      2,
    )
  }\n`;
}

async function writeSecret(
  directory: string,
  secret: Bytes,
  passphrase: string | null,
): Promise<void> {
  if (passphrase === null) {
    const path = `${directory}/profile.secret`;
    return await writePrivateFile(path, formatSecret(secret));
  }
  await writePrivateFile(
    `${directory}/profile.key`,
    await sealKeyFile("profile", secret, { passphrase }),
  );
}

async function readSecret(
  io: Io,
  flags: ProfileFlags,
  directory: string,
  { address, interactive }: ProfileAccount,
): Promise<Bytes> {
  const left = await optional(
    interactive ? unlockedPath(io, directory) : `${directory}/profile.secret`,
  );
  if (left !== undefined) return parseSecret(left);
  if (!interactive) {
    throw new CommandError(
      `Cannot use the profile: ${directory}/profile.secret is missing`,
    );
  }
  const text = await readPrivateFile(`${directory}/profile.key`);
  const passphrase = await readPassphrase(io, {
    file: flags["passphrase-file"],
    label: `Passphrase of ${address}`,
    fresh: false,
  });
  return await openKeyFile(text, "profile", { passphrase });
}

async function optional(path: string): Promise<string | undefined> {
  try {
    return await readPrivateFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A name of the directory that is unique on this machine. */
function unlockedPath(io: Io, directory: string): string {
  const name = utf8(directory).toBase64({ alphabet: "base64url" });
  if (name.length > 200) {
    throw new UsageError("the path of the profile is too long");
  }
  return `${sottoPaths(io).runtime}/unlocked/${name}`;
}
