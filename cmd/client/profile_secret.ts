import {
  formatSecret,
  openKeyFile,
  parseSecret,
  readPrivateFile,
  sealKeyFile,
  writePrivateFile,
} from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { utf8 } from "../../lib/protocol/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { readPassphrase } from "../passphrase.ts";
import { privateDirectory, profilePath, sottoPaths } from "../paths.ts";
import type { ProfileAccount } from "./profile_account.ts";
import { ROUTE_FLAGS } from "./route.ts";
import type { RouteFlags } from "./route.ts";

/** The flags of commands that use a profile; spread them into a command's own table. */
export const PROFILE_FLAGS = {
  "passphrase-file": { type: "string" },
  ...ROUTE_FLAGS,
} as const;

/** Their values, with the one that names the profile. */
export interface ProfileFlags extends RouteFlags {
  readonly profile: string | undefined;
  readonly "passphrase-file": string | undefined;
}

/** Seals the secret of the profile in `directory`, or leaves it bare where there is no passphrase. */
export async function writeSecret(
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

/** The secret of a profile: as `login` has left it, or by the passphrase. */
export async function readSecret(
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

/** Leaves the secret where commands find it until `lockProfile`. */
export async function unlockProfile(
  io: Io,
  directory: string,
  secret: Bytes,
): Promise<void> {
  const path = unlockedPath(io, directory);
  await privateDirectory(path.slice(0, path.lastIndexOf("/")));
  await writePrivateFile(path, formatSecret(secret));
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
