import { formatCertificate } from "../../lib/identity/mod.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { writePublic } from "./output.ts";
import { readSource, SOURCE_FLAGS } from "./source.ts";

/** Help for `sotto keygen certificate`. */
export const usage =
  `sotto keygen certificate writes the public certificate of a key file.

Usage: sotto keygen certificate FILE [--out FILE] [--passphrase-file FILE | --secret-file FILE]

The certificate holds the public keys and is signed by them; nothing in it is secret. Whoever has it
beforehand need not take the keys from the wire. Without --out it goes to standard output.

Examples:
  sotto keygen certificate server.key --out server.cert
  sotto keygen certificate bot.key | ssh friend 'cat > bot.cert'
`;

/** `sotto keygen certificate`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(
    args,
    { ...SOURCE_FLAGS, out: { type: "string" } },
    { least: 1, shape: "FILE" },
  );
  const { shown } = await readSource(io, flags, operands[0]!);
  await writePublic(io, flags.out, formatCertificate(shown));
  return 0;
}
