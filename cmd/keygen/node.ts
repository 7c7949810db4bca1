import { generateNodeKeyring } from "../../lib/identity/mod.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { createKeyFile, PROTECTION_FLAGS } from "../key_file.ts";
import { NEW_KEY_FLAGS, outOf, secondsNow } from "./new_key.ts";
import { certificateOf } from "./source.ts";
import { printSummary } from "./summary.ts";

/** Help for `sotto keygen node`. */
export const usage = `sotto keygen node makes the keys of a server or relay.

Usage: sotto keygen node --out FILE [--passphrase-file FILE | --secret-file FILE] [--json]

The key file is sealed and readable by you alone. What it is sealed by:
  (nothing named)          a passphrase, asked for on the terminal
  --passphrase-file FILE   the passphrase in FILE (or in the file SOTTO_PASSPHRASE_FILE names)
  --secret-file FILE       32 random bytes in FILE, which is made if it is not there: for machines
                           that start without a person. Keep it on another disk than the backups.

Other flags:
  --out FILE               where to write; a file that exists is never overwritten
  --json                   print the summary as JSON
  --quiet, -q              print no summary

Examples:
  sotto keygen node --out server.key
  sotto keygen node --out server.key --secret-file /etc/sotto/server.secret
`;

/** `sotto keygen node`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, { ...NEW_KEY_FLAGS, ...PROTECTION_FLAGS });
  const path = outOf(flags.out);
  const made = await createKeyFile(io, flags, path, async () => ({
    kind: "node",
    keyring: await generateNodeKeyring(secondsNow(io)),
  }));
  if (!flags.quiet) {
    const shown = certificateOf(made);
    await printSummary(io, { shown, hasPrivateKeys: true }, flags.json);
  }
  return 0;
}
