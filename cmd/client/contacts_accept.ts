import { CommandError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { personOf } from "./address.ts";
import { offlineMailbox } from "./contacts_list.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";

/** Help for `sotto client contacts accept`. */
export const usage =
  `sotto client contacts accept trusts somebody's new identity.

Usage: sotto client contacts accept PERSON [--profile NAME]

Do it only when PERSON has told you, by another way, that they have new keys. The contact counts as not
verified afterwards.

Example:
  sotto client contacts accept bob
`;

/** `sotto client contacts accept`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(
    args,
    { ...COMMON_FLAGS, ...PROFILE_FLAGS },
    { least: 1, shape: "PERSON" },
  );
  using profile = await Profile.open(io, flags);
  const address = personOf(operands[0]!, profile.address);
  const { book } = await offlineMailbox(io, profile);
  if (!await book.accept(address)) {
    throw new CommandError(
      `Cannot accept ${address}: their identity has not changed`,
    );
  }
  if (!flags.quiet) {
    await io.stdout.write(
      `${address} is trusted with the new keys; compare them with: sotto client verify ${address}\n`,
    );
  }
  return 0;
}
