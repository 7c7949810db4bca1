import { changePassphrase } from "../../lib/account/mod.ts";
import { CommandError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { readPassphrase } from "../passphrase.ts";
import { Online } from "./online.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";
import { onlineWithin } from "./waiting.ts";

/** Help for `sotto client passphrase`. */
export const usage = `sotto client passphrase replaces the passphrase.

Usage: sotto client passphrase [--passphrase-file FILE] [--new-passphrase-file FILE]

The keys stay the same and are wrapped anew, here and at the server; letters and contacts are not
touched. Other machines that have the account go on working.

Flags:
  --passphrase-file FILE      the passphrase so far, instead of asking
  --new-passphrase-file FILE  the new one, instead of asking
  --profile NAME

Example:
  sotto client passphrase
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  "new-passphrase-file": { type: "string" },
} as const;

/** `sotto client passphrase`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  using profile = await Profile.open(io, flags);
  const { address, account, keyring } = profile;
  if (!account.interactive) {
    throw new CommandError(`Cannot change it: ${address} has no passphrase`);
  }
  const before = await readPassphrase(io, {
    file: flags["passphrase-file"],
    label: `Passphrase of ${address} so far`,
    fresh: false,
  });
  const after = await readPassphrase(io, {
    file: flags["new-passphrase-file"],
    label: `New passphrase of ${address}`,
    fresh: true,
  });
  const online = await Online.start(io, profile, {
    receive: false,
    onEvent: () => {},
  });
  try {
    await onlineWithin(online, 10_000);
    await changePassphrase(online.session!, online.node!, keyring, {
      before,
      after,
    });
    await profile.changePassphrase(after);
  } finally {
    await online.close();
  }
  if (!flags.quiet) await io.stdout.write("the new passphrase holds\n");
  return 0;
}
