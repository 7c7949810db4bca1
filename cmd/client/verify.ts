import { formatSafetyNumber, safetyNumber } from "../../lib/identity/mod.ts";
import type { Certificate } from "../../lib/identity/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { personOf } from "./address.ts";
import { offlineMailbox } from "./contacts_list.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";

/** Help for `sotto client verify`. */
export const usage = `sotto client verify compares identities with somebody.

Usage: sotto client verify PERSON [--yes | --no] [--json] [--profile NAME]

Both of you see the same number and words if, and only if, nobody stands between you. Compare them by
another way: meet, or call. Then note it with --yes.

Flags:
  --yes                    they were the same: the contact counts as verified
  --no                     it does not count as verified any more
  --json                   print {"person", "digits", "words", "verified"}

Examples:
  sotto client verify bob
  sotto client verify bob --yes
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  yes: { type: "boolean" },
  no: { type: "boolean" },
} as const;

/** The safety number of two people as text: twelve groups of digits, then eight words. */
export async function safetyText(
  own: Certificate,
  theirs: Certificate,
): Promise<string> {
  return formatSafetyNumber(await safetyNumber(own, theirs));
}

/** `sotto client verify`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 1,
    shape: "PERSON",
  });
  if (flags.yes && flags.no) {
    throw new UsageError("--yes and --no exclude each other");
  }
  using profile = await Profile.open(io, flags);
  const person = personOf(operands[0]!, profile.address);
  const { book } = await offlineMailbox(io, profile);
  const theirs = await book.certificate(person);
  if (theirs === undefined) {
    throw new CommandError(
      `Cannot verify ${person}: their keys are not known`,
      {
        hint: `sotto client contacts add ${person} fetches them`,
      },
    );
  }
  if (flags.yes || flags.no) await book.verify(person, flags.yes);
  const verified = (await book.contact(person))?.verified === true;
  const own = profile.keyring.certificate;
  if (flags.json) {
    const { groups, words } = await safetyNumber(own, theirs);
    const digits = groups.join(" ");
    await io.stdout.write(
      `${
        JSON.stringify({ person, digits, words: words.join(" "), verified })
      }\n`,
    );
  } else {
    await io.stdout.write(`${await safetyText(own, theirs)}\n`);
    if (!flags.quiet) {
      await io.stderr.write(
        verified
          ? `${person} is verified\n`
          : `the same at ${person}? then: sotto client verify ${person} --yes\n`,
      );
    }
  }
  return 0;
}
