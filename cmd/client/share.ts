import type { ServerAddress } from "../../lib/identity/mod.ts";
import { formatServerAddress } from "../../lib/identity/mod.ts";
import {
  ask,
  codeSecret,
  formatShareCode,
  newShareCode,
  reserveCommand,
  RESERVED,
  reserved,
} from "../../lib/transfer/mod.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { profilePath } from "../paths.ts";
import { overFileLink } from "./file_link.ts";
import {
  describeOffer,
  formatDigest,
  offerObject,
  sentText,
} from "./file_summary.ts";
import { OutgoingFiles } from "./outgoing_files.ts";
import { profileExists } from "./profile.ts";
import { readAccount } from "./profile_account.ts";
import { Route, ROUTE_FLAGS } from "./route.ts";
import type { RouteFlags } from "./route.ts";
import { serverOf } from "./server_link.ts";
import {
  lifetimeOf,
  paceOf,
  patienceOf,
  SENDING_FLAGS,
} from "./transfer_flags.ts";

/** Help for `sotto client share`. */
export const usage =
  `sotto client share gives files to whoever you tell a code; nobody needs an account.

Usage: sotto client share PATH... [--server ADDRESS] [FLAG]...

The files are sealed on this machine. The code says at which server they are, and its words are the key: tell
it to one person, by a way that you trust. It works once if you say nothing else, and expires. "-" is standard
input.

Flags:
  --server ADDRESS         the server; that of the profile if not given
  --onion                  reach it through the onion network
  --downloads COUNT        how many may fetch it; 1 if not given
  --expires DURATION       how long the code works; 1h if not given
  --limit-rate RATE        at most so many bytes a second, as in 10M
  --name NAME              what standard input is called
  --wait DURATION          give up when nothing moves for this time; 2m if not given
  --json                   print code and summary as JSON

Examples:
  sotto client share report.pdf --server example.org
  sotto client share photos/ --downloads 3 --expires 1d
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...SENDING_FLAGS,
  ...ROUTE_FLAGS,
  server: { type: "string" },
  downloads: { type: "string" },
} as const;

/** `sotto client share`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 1,
    most: Infinity,
    shape: "PATH...",
  });
  const lifetime = lifetimeOf(flags.expires ?? "1h");
  const downloads = Number(flags.downloads ?? "1");
  if (!Number.isInteger(downloads) || downloads < 1 || downloads > 1_000) {
    throw new UsageError("--downloads is a number from 1 to 1000");
  }
  const server = await serverOrOwn(io, flags.server, flags.profile);
  const patience = patienceOf(flags);
  const pace = paceOf(flags["limit-rate"]);
  await using files = await OutgoingFiles.find(io, operands, {
    name: flags.name,
    quiet: flags.quiet,
  });
  const { host, port } = server;
  const code = newShareCode(formatServerAddress({ host, port }));
  const secret = await codeSecret(code);
  const blob = await files.blob(secret);
  await using route = await routeFor(io, flags);
  const options = { io, route, server, patience, quiet: flags.quiet };
  const command = await reserveCommand(blob, { downloads, lifetime });
  const expiresAt = await overFileLink(
    options,
    async (link) => reserved(await ask(link, command, RESERVED, "share")),
  );
  const offer = files.offer(secret, expiresAt);
  const text = formatShareCode(code);
  if (!flags.json) {
    if (!flags.quiet) {
      await io.stderr.write(
        `${
          describeOffer(offer)
        }\nOn the other machine: sotto client receive ${text}\n`,
      );
    }
    if (flags.quiet || !io.stdout.isTerminal) {
      await io.stdout.write(`${text}\n`);
    }
  }
  const digest = await files.send(options, blob, pace);
  if (flags.json) {
    const summary = {
      code: text,
      ...offerObject(offer),
      ...digest === undefined ? {} : { digest: formatDigest(digest) },
    };
    await io.stdout.write(`${JSON.stringify(summary)}\n`);
  } else if (!flags.quiet) {
    await io.stderr.write(
      `${sentText(digest)}; it waits there until it is fetched\n`,
    );
  }
  return 0;
}

/** The way to a server: through the onion also where the profile always takes that. */
export async function routeFor(
  io: Io,
  flags: RouteFlags & { readonly profile: string | undefined },
): Promise<Route> {
  const { profile } = flags;
  const always = await profileExists(io, profile) &&
    (await readAccount(profilePath(io, profile), profile)).onion;
  return new Route(io, flags, always);
}

/** The server that is named, or that of the profile. @throws {UsageError} if there is neither. */
export async function serverOrOwn(
  io: Io,
  named: string | undefined,
  profile: string | undefined,
): Promise<ServerAddress> {
  if (named !== undefined) return serverOf(named);
  if (await profileExists(io, profile)) {
    return (await readAccount(profilePath(io, profile), profile)).server;
  }
  throw new UsageError("which server?", {
    hint: "--server ADDRESS names it; a profile has one of its own",
  });
}
