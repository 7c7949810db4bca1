import { codeSecret, parseShareCode } from "../../lib/transfer/mod.ts";
import type { ShareCode } from "../../lib/transfer/mod.ts";
import { describe, UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { describeOffer } from "./file_summary.ts";
import { fetchFiles } from "./incoming_files.ts";
import { agree, destinationOf, sayFetched } from "./receiving.ts";
import { ROUTE_FLAGS } from "./route.ts";
import { routeFor, serverOrOwn } from "./share.ts";
import { paceOf, patienceOf, RECEIVING_FLAGS } from "./transfer_flags.ts";

/** Help for `sotto client receive`. */
export const usage =
  `sotto client receive fetches what somebody shares by a code; nobody needs an account.

Usage: sotto client receive [CODE] [FLAG]...

CODE is what sotto client share has printed. Without it, it is asked for, or read from SOTTO_CODE, so that
other users of this machine cannot see it among the running programs.

Flags:
  --server ADDRESS         the server, if the code names none
  --onion                  reach it through the onion network
  --to DIR                 where to put it; the current directory if not given
  --output, -o FILE        one file, under this name; "-" is standard output
  --replace                overwrite what is there
  --yes, -y                do not ask; nobody is asked who is not at a terminal
  --limit-rate RATE        at most so many bytes a second, as in 10M
  --wait DURATION          give up when nothing moves for this time; 2m if not given
  --json                   print what came as JSON

Examples:
  sotto client receive example.org:7607/abandon-ability-able-about-above-absent-absorb-abstract
  sotto client receive --to ~/Downloads
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...RECEIVING_FLAGS,
  ...ROUTE_FLAGS,
  server: { type: "string" },
} as const;

/** `sotto client receive`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    most: 1,
    shape: "[CODE]",
  });
  const destination = await destinationOf(io, flags);
  const code = codeOf(operands[0] ?? await askCode(io));
  const server = await serverOrOwn(
    io,
    code.server ?? flags.server,
    flags.profile,
  );
  await using route = await routeFor(io, flags);
  const fetched = await fetchFiles(
    {
      io,
      route,
      server,
      patience: patienceOf(flags),
      quiet: flags.quiet,
      pace: paceOf(flags["limit-rate"]),
      // Whoever types a code into a script wants what it gives.
      agree: (contents) =>
        agree(
          io,
          { ...flags, yes: flags.yes || !io.stdin.isTerminal },
          `It gives ${describeOffer(contents)}`,
        ),
    },
    await codeSecret(code),
    "shared files",
    destination,
  );
  await sayFetched(io, flags, fetched, {});
  return 0;
}

async function askCode(io: Io): Promise<string> {
  const code = io.env("SOTTO_CODE") ?? await io.prompt("Code: ");
  if (code === null) throw new UsageError("a CODE is missing");
  return code;
}

function codeOf(text: string): ShareCode {
  try {
    return parseShareCode(text);
  } catch (error) {
    throw new UsageError(describe(error), {
      hint:
        "it looks like example.org:7607/eight-words-with-dashes-between-them",
    });
  }
}
