import { CommandError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { readPassphrase } from "../passphrase.ts";
import { openExport } from "./export_file.ts";
import { Online } from "./online.ts";
import { Profile, profileExists } from "./profile.ts";
import { onlineWithin } from "./waiting.ts";

/** Help for `sotto client import`. */
export const usage =
  `sotto client import brings an account that sotto client export has written.

Usage: sotto client import FILE [--export-passphrase-file FILE] [--passphrase-file FILE] [--profile NAME]

Keys, contacts and all that was said come along; the conversations go on under new keys. From then on
this machine gets the letters, and the one that the export was made on stops.

Flags:
  --export-passphrase-file FILE   the passphrase of the export, instead of asking
  --passphrase-file FILE          that of the account, which locks it on this machine
  --profile NAME                  the name of the profile on this machine

Example:
  sotto client import alice.export
`;

const FLAGS = {
  ...COMMON_FLAGS,
  "passphrase-file": { type: "string" },
  "export-passphrase-file": { type: "string" },
} as const;

/** `sotto client import`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 1,
    shape: "FILE",
  });
  if (await profileExists(io, flags.profile)) {
    throw new CommandError("Cannot import: this profile has an account", {
      hint: "choose another name with --profile NAME",
    });
  }
  const [path] = operands;
  let file: Uint8Array<ArrayBuffer>;
  try {
    file = await Deno.readFile(path!);
  } catch (cause) {
    throw new CommandError(`Cannot read ${path}`, { cause });
  }
  const exported = await openExport(file, {
    passphrase: await readPassphrase(io, {
      file: flags["export-passphrase-file"],
      label: "Passphrase of the export",
      fresh: false,
    }),
  });
  using profile = await Profile.import(
    io,
    flags.profile,
    exported,
    (address) =>
      readPassphrase(io, {
        file: flags["passphrase-file"],
        label: `Passphrase of ${address}, to lock it here`,
        fresh: false,
      }),
  );
  await profile.unlock(io);
  const online = await Online.start(io, profile, {
    receive: false,
    onEvent: () => {},
  });
  try {
    await onlineWithin(online, 10_000);
  } finally {
    await online.close();
  }
  if (!flags.quiet) await io.stdout.write(`you are ${profile.address}\n`);
  return 0;
}
