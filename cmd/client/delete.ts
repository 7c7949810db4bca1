import { deleteAccount } from "../../lib/account/mod.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { readPassphrase } from "../passphrase.ts";
import { profilePath } from "../paths.ts";
import { personOf } from "./address.ts";
import { Online } from "./online.ts";
import { Profile } from "./profile.ts";
import { lockProfile, PROFILE_FLAGS } from "./profile_secret.ts";
import { onlineWithin } from "./waiting.ts";

/** Help for `sotto client delete`. */
export const usage =
  `sotto client delete deletes the account, here and at the server.

Usage: sotto client delete ADDRESS [--passphrase-file FILE] [--profile NAME]

ADDRESS is your own, so that it does not happen by accident. Letters that wait are gone, the name is
never given away again, and there is no way back.

Example:
  sotto client delete alice@example.org
`;

/** `sotto client delete`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(
    args,
    { ...COMMON_FLAGS, ...PROFILE_FLAGS },
    { least: 1, shape: "ADDRESS" },
  );
  {
    using profile = await Profile.open(io, flags);
    const { address, account } = profile;
    if (personOf(operands[0]!, address) !== address) {
      throw new UsageError(`this profile is ${address}`);
    }
    const passphrase = account.interactive
      ? await readPassphrase(io, {
        file: flags["passphrase-file"],
        label: `Passphrase of ${address}`,
        fresh: false,
      })
      : undefined;
    const online = await Online.start(io, profile, {
      receive: false,
      onEvent: () => {},
    });
    try {
      await onlineWithin(online, 10_000);
      await deleteAccount(online.session!, online.node!, address, passphrase);
    } finally {
      await online.close();
    }
  }
  await lockProfile(io, flags.profile);
  await Deno.remove(profilePath(io, flags.profile), { recursive: true });
  if (!flags.quiet) await io.stdout.write("the account is deleted\n");
  return 0;
}
