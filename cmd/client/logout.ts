import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { profilePath } from "../paths.ts";
import { lockProfile } from "./profile_secret.ts";
import { readAccount } from "./profile_account.ts";

/** Help for `sotto client logout`. */
export const usage = `sotto client logout locks an account on this machine.

Usage: sotto client logout [--profile NAME]

Commands ask for the passphrase again. The account, its keys and letters stay on this machine, sealed.

Example:
  sotto client logout
`;

/** `sotto client logout`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, COMMON_FLAGS);
  const path = profilePath(io, flags.profile);
  const { address, interactive } = await readAccount(path, flags.profile);
  const was = await lockProfile(io, flags.profile);
  if (flags.quiet) return 0;
  await io.stdout.write(
    !interactive
      ? `${address} works without a passphrase; there is nothing to lock\n`
      : was
      ? `${address} is locked\n`
      : `${address} was locked already\n`,
  );
  return 0;
}
