import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { readSource, SOURCE_FLAGS } from "./source.ts";
import { printSummary } from "./summary.ts";

/** Help for `sotto keygen show`. */
export const usage = `sotto keygen show tells what a key file or certificate is.

Usage: sotto keygen show FILE [--passphrase-file FILE | --secret-file FILE] [--json]

Of a node it shows the fingerprint, by which its users know it (sotto://FINGERPRINT@HOST). Of an
account it shows the address and the certificate id. A key file has to be opened for that, a
certificate not.

Examples:
  sotto keygen show server.key
  sotto keygen show server.cert --json
`;

/** `sotto keygen show`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(
    args,
    { ...SOURCE_FLAGS, json: { type: "boolean" } },
    { least: 1, shape: "FILE" },
  );
  const { shown, opened } = await readSource(io, flags, operands[0]!);
  const hasPrivateKeys = opened !== undefined;
  await printSummary(io, { shown, hasPrivateKeys }, flags.json);
  return 0;
}
