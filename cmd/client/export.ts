import { formatCertificate } from "../../lib/identity/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { readPassphrase } from "../passphrase.ts";
import { sealExport } from "./export_file.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";

/** Help for `sotto client export`. */
export const usage =
  `sotto client export writes the account to a file, to take it to another machine.

Usage: sotto client export --out FILE [--export-passphrase-file FILE] [--profile NAME]
       sotto client export --certificate [--out FILE]

The file holds keys, contacts and everything that was said, sealed by a passphrase of its own. On the
other machine: sotto client import FILE. From then on that one gets the letters.

With --certificate it writes the public certificate, which a friend may have beforehand (sotto client
contacts add NAME --certificate FILE).

Flags:
  --out FILE                      where to write; a file that exists is never overwritten
  --export-passphrase-file FILE   the passphrase of the export, instead of asking
  --passphrase-file FILE          that of the account, if it is locked
  --profile NAME

Examples:
  sotto client export --out alice.export
  sotto client export --certificate > alice.cert
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  out: { type: "string" },
  certificate: { type: "boolean" },
  "export-passphrase-file": { type: "string" },
} as const;

/** `sotto client export`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  using profile = await Profile.open(io, flags);
  if (flags.certificate) {
    const { certificate } = profile.keyring;
    const text = formatCertificate({ kind: "account", certificate });
    if (flags.out === undefined) await io.stdout.write(text);
    else await writeNew(flags.out, new TextEncoder().encode(text));
    return 0;
  }
  if (flags.out === undefined) throw new UsageError("--out is missing");
  const passphrase = await readPassphrase(io, {
    file: flags["export-passphrase-file"],
    label: "New passphrase of the export",
    fresh: true,
  });
  const exported = await profile.exported();
  await writeNew(flags.out, await sealExport(exported, { passphrase }));
  if (!flags.quiet) {
    await io.stdout.write(
      `${profile.address} is in ${flags.out}; on the other machine: sotto client import\n`,
    );
  }
  return 0;
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await Deno.writeFile(path, bytes, { createNew: true, mode: 0o600 });
  } catch (cause) {
    throw new CommandError(`Cannot write ${path}`, { cause });
  }
}
