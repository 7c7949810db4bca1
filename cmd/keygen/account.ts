import { generateKeyring } from "../../lib/identity/mod.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { createKeyFile, PROTECTION_FLAGS } from "../key_file.ts";
import { addressOf } from "./address.ts";
import { NEW_KEY_FLAGS, outOf, secondsNow } from "./new_key.ts";
import { certificateOf } from "./source.ts";
import { printSummary } from "./summary.ts";

/** Help for `sotto keygen account`. */
export const usage =
  `sotto keygen account makes the keys of an account that stay on this machine.

Usage: sotto keygen account NAME@ZONE --out FILE
                            [--passphrase-file FILE | --secret-file FILE] [--json]

For bots and jobs that log in without a person: the server gets the certificate only. A person's
account needs no key file; sotto client register makes its keys.

The key file is sealed and readable by you alone. What it is sealed by:
  (nothing named)          a passphrase, asked for on the terminal
  --passphrase-file FILE   the passphrase in FILE (or in the file SOTTO_PASSPHRASE_FILE names)
  --secret-file FILE       32 random bytes in FILE, which is made if it is not there

Other flags:
  --out FILE               where to write; a file that exists is never overwritten
  --json                   print the summary as JSON
  --quiet, -q              print no summary

Examples:
  sotto keygen account bot@example.org --out bot.key --secret-file bot.secret
  sotto keygen certificate bot.key --out bot.cert      what its friends may have beforehand
`;

/** `sotto keygen account`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(
    args,
    { ...NEW_KEY_FLAGS, ...PROTECTION_FLAGS },
    { least: 1, shape: "NAME@ZONE" },
  );
  const path = outOf(flags.out);
  const address = addressOf(operands[0]!);
  const made = await createKeyFile(io, flags, path, async () => ({
    kind: "account",
    keyring: await generateKeyring(address, secondsNow(io)),
  }));
  if (!flags.quiet) {
    const shown = certificateOf(made);
    await printSummary(io, { shown, hasPrivateKeys: true }, flags.json);
  }
  return 0;
}
