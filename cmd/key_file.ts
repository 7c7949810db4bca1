/**
 * Key files, as commands open and make them: sealed by a passphrase, or by a secret in another file for
 * machines that start without a person.
 *
 * @module
 */
import type { Keyring, NodeKeyring, Protection } from "../lib/identity/mod.ts";
import {
  createPrivateFile,
  describeKeyFile,
  encodeKeyring,
  encodeNodeKeyring,
  formatSecret,
  generateSecret,
  openKeyFile,
  parseKeyring,
  parseNodeKeyring,
  parseSecret,
  readPrivateFile,
  sealKeyFile,
  UnsafeFileError,
} from "../lib/identity/mod.ts";
import { CommandError, UsageError } from "./errors.ts";
import type { FlagTable } from "./flags.ts";
import type { Io } from "./io.ts";
import { readPassphrase } from "./passphrase.ts";

/** The flags that say by what a key file is sealed; spread them into a command's own table. */
export const PROTECTION_FLAGS = {
  "passphrase-file": { type: "string" },
  "secret-file": { type: "string" },
} as const satisfies FlagTable;

/** Their values. */
export interface ProtectionFlags {
  readonly "passphrase-file": string | undefined;
  readonly "secret-file": string | undefined;
}

/** The keyring of an account or of a node. */
export type AnyKeyring =
  | { readonly kind: "account"; readonly keyring: Keyring }
  | { readonly kind: "node"; readonly keyring: NodeKeyring };

/** A key file as it was read, not opened yet. */
export interface SealedKeyFile {
  readonly path: string;
  readonly text: string;
  readonly kind: AnyKeyring["kind"];
}

/**
 * Seals what `make` makes into a new key file that only its owner may read. The passphrase is asked for
 * first, and twice; a secret file that is not there yet is made.
 *
 * @returns what was made.
 * @throws {CommandError} if `path` exists, or whatever `--passphrase-file` or `--secret-file` name
 * cannot be used.
 */
export async function createKeyFile(
  io: Io,
  flags: ProtectionFlags,
  path: string,
  make: () => Promise<AnyKeyring>,
): Promise<AnyKeyring> {
  await refuseExisting(path);
  const protection = await newProtection(io, flags, path);
  const made = await make();
  const plaintext = made.kind === "account"
    ? await encodeKeyring(made.keyring)
    : await encodeNodeKeyring(made.keyring);
  const text = await sealKeyFile(made.kind, plaintext, protection);
  plaintext.fill(0);
  await createFile(path, text);
  return made;
}

/**
 * Reads a key file and tells what it holds, without opening it.
 *
 * @throws {CommandError} if it cannot be read or is no key file of an account or node.
 */
export async function readKeyFile(path: string): Promise<SealedKeyFile> {
  const text = await readPrivate(path);
  const { kind } = await attempt(path, () => describeKeyFile(text));
  if (kind !== "account" && kind !== "node") {
    throw new CommandError(`Cannot use ${path}: it holds no keys of ours`);
  }
  return { path, text, kind };
}

/**
 * Opens a key file of either kind, asking for the passphrase if it needs one and no file names it.
 *
 * @throws {CommandError} if it cannot be opened by what was given.
 */
export async function openAnyKeyring(
  io: Io,
  flags: ProtectionFlags,
  file: SealedKeyFile,
): Promise<AnyKeyring> {
  const protection = await protectionOf(io, flags, file);
  return await attempt(file.path, async () => {
    const bytes = await openKeyFile(file.text, file.kind, protection);
    const opened: AnyKeyring = file.kind === "account"
      ? { kind: "account", keyring: await parseKeyring(bytes) }
      : { kind: "node", keyring: await parseNodeKeyring(bytes) };
    bytes.fill(0);
    return opened;
  });
}

/**
 * Opens the key file of a node.
 *
 * @throws {CommandError} as `openAnyKeyring`, and if it is an account's.
 */
export async function openNodeKeyring(
  io: Io,
  flags: ProtectionFlags,
  path: string,
): Promise<NodeKeyring> {
  const opened = await openAnyKeyring(io, flags, await readKeyFile(path));
  if (opened.kind === "node") return opened.keyring;
  throw new CommandError(
    `Cannot use ${path}: it is an account's, not a node's`,
  );
}

/**
 * Opens the key file of an account.
 *
 * @throws {CommandError} as `openAnyKeyring`, and if it is a node's.
 */
export async function openAccountKeyring(
  io: Io,
  flags: ProtectionFlags,
  path: string,
): Promise<Keyring> {
  const opened = await openAnyKeyring(io, flags, await readKeyFile(path));
  if (opened.kind === "account") return opened.keyring;
  throw new CommandError(
    `Cannot use ${path}: it is a node's, not an account's`,
  );
}

async function newProtection(
  io: Io,
  flags: ProtectionFlags,
  path: string,
): Promise<Protection> {
  checkOneOf(flags);
  const secretFile = flags["secret-file"];
  if (secretFile === undefined) {
    const label = `New passphrase for ${path}`;
    const file = flags["passphrase-file"];
    return {
      passphrase: await readPassphrase(io, { file, label, fresh: true }),
    };
  }
  if (await exists(secretFile)) return await readSecret(secretFile);
  const secret = generateSecret();
  await createFile(secretFile, formatSecret(secret));
  return { secret };
}

async function protectionOf(
  io: Io,
  flags: ProtectionFlags,
  { path, text }: SealedKeyFile,
): Promise<Protection> {
  checkOneOf(flags);
  const secretFile = flags["secret-file"];
  const { needs } = describeKeyFile(text);
  if (needs === "secret") {
    if (secretFile !== undefined) return await readSecret(secretFile);
    throw new CommandError(`Cannot open ${path}: it is sealed by a secret`, {
      hint: "name the file that holds it with --secret-file",
    });
  }
  if (secretFile !== undefined) {
    throw new CommandError(
      `Cannot open ${path}: it is sealed by a passphrase`,
      {
        hint: "leave out --secret-file",
      },
    );
  }
  const label = `Passphrase for ${path}`;
  const file = flags["passphrase-file"];
  return {
    passphrase: await readPassphrase(io, { file, label, fresh: false }),
  };
}

function checkOneOf(flags: ProtectionFlags): void {
  if (flags["passphrase-file"] !== undefined && flags["secret-file"]) {
    throw new UsageError(
      "--passphrase-file and --secret-file exclude each other",
    );
  }
}

async function readSecret(path: string): Promise<Protection> {
  const text = await readPrivate(path);
  return { secret: await attempt(path, () => parseSecret(text)) };
}

/** Reads a file that only its owner may read, such as a private key. */
export async function readPrivate(path: string): Promise<string> {
  try {
    return await readPrivateFile(path);
  } catch (cause) {
    if (cause instanceof UnsafeFileError) {
      throw new CommandError(cause.message, {
        cause,
        hint: `chmod 600 ${path}`,
      });
    }
    throw new CommandError(`Cannot read ${path}`, { cause });
  }
}

/** Writes a file that only its owner may read, never over another one. */
export async function createFile(path: string, text: string): Promise<void> {
  try {
    await createPrivateFile(path, text);
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) throw taken(path, cause);
    throw new CommandError(`Cannot write ${path}`, { cause });
  }
}

/** Asked before a passphrase is typed and keys are made for nothing; `createFile` decides. */
async function refuseExisting(path: string): Promise<void> {
  if (await exists(path)) throw taken(path);
}

function taken(path: string, cause?: unknown): CommandError {
  return new CommandError(`Cannot write ${path}: it exists already`, {
    cause,
    hint: "choose another name, or move the old file away first",
  });
}

/** Whether anything is at `path`. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new CommandError(`Cannot look at ${path}`, { cause: error });
  }
}

async function attempt<T>(
  path: string,
  call: () => T | Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new CommandError(`Cannot use ${path}`, { cause });
  }
}
