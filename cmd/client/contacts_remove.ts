import { CommandError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { personOf } from "./address.ts";
import { offlineMailbox } from "./contacts_list.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";

/** Help for `sotto client contacts remove`. */
export const usage = `sotto client contacts remove forgets somebody.

Usage: sotto client contacts remove PERSON [--profile NAME]

Their certificate is not pinned any more, and sessions begin anew with the next letter.

Example:
  sotto client contacts remove bob
`;

/** `sotto client contacts remove`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(
    args,
    { ...COMMON_FLAGS, ...PROFILE_FLAGS },
    { least: 1, shape: "PERSON" },
  );
  using profile = await Profile.open(io, flags);
  const address = personOf(operands[0]!, profile.address);
  const { book } = await offlineMailbox(io, profile);
  if (!await book.remove(address)) {
    throw new CommandError(`Cannot forget ${address}: they are no contact`);
  }
  return 0;
}
