import { AccountError, loginByPassphrase } from "../../lib/account/mod.ts";
import type { Unlocked } from "../../lib/account/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import type { Io } from "../io.ts";
import { readPassphrase } from "../passphrase.ts";
import { usernameOf } from "./address.ts";
import { Online } from "./online.ts";
import { Profile, profileExists } from "./profile.ts";
import { Route, ROUTE_FLAGS } from "./route.ts";
import { aboutServer, connectToServer, serverOf } from "./server_link.ts";

/** Help for `sotto client login`. */
export const usage = `sotto client login unlocks an account on this machine.

Usage: sotto client login [--passphrase-file FILE] [--profile NAME]
       sotto client login NAME[@ZONE] --server SERVER [FLAG]...

Without a name it asks for the passphrase once, tries the account at the server, and leaves it unlocked
for further commands until sotto client logout.

With a name it brings an account to a machine that does not have it yet: the keys come from the server,
wrapped, and your passphrase opens them. From then on this machine gets the letters; the one that you
used before says so and stops. What was said before stays there; sotto client export takes it along.

Flags:
  --server SERVER          HOST, HOST:PORT or sotto://FINGERPRINT@HOST:PORT
  --passphrase-file FILE   the passphrase, instead of asking
  --take-over              this machine has the account but another one took it: take it back
  --onion                  reach the server through the onion network; a new profile keeps to that
  --profile NAME           the name of the profile on this machine
  --json                   print {"address", "online"}

Examples:
  sotto client login
  sotto client login alice@example.org --server example.org
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...ROUTE_FLAGS,
  server: { type: "string" },
  "passphrase-file": { type: "string" },
  "take-over": { type: "boolean" },
} as const;

/** `sotto client login`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    most: 1,
    shape: "[NAME[@ZONE] --server SERVER]",
  });
  const [name] = operands;
  const exists = await profileExists(io, flags.profile);
  if (name !== undefined && exists) {
    throw new CommandError("Cannot log in: this profile has an account", {
      hint: "leave the name out to unlock it, or name another with --profile",
    });
  }
  using profile = name === undefined
    ? await Profile.open(io, flags)
    : await bring(io, flags, name);
  await profile.unlock(io);
  const online = await Online.start(io, profile, {
    receive: true, // so that it is noticed if another machine has the account
    onEvent: () => {},
  });
  if (flags["take-over"]) await online.mailbox.takeOver();
  await online.ready;
  await online.close();
  if (flags.json) {
    await io.stdout.write(
      `${JSON.stringify({ address: profile.address, online: true })}\n`,
    );
  } else if (!flags.quiet) {
    await io.stdout.write(`you are ${profile.address}\n`);
  }
  return 0;
}

/** Fetches an account that this machine does not have. */
async function bring(
  io: Io,
  flags: FlagValues<typeof FLAGS>,
  name: string,
): Promise<Profile> {
  if (flags.server === undefined) {
    throw new UsageError("--server is missing", {
      hint: "sotto client login NAME@ZONE --server HOST",
    });
  }
  const server = serverOf(flags.server);
  const route = new Route(io, flags);
  const { zone } = await aboutServer(io, route, server);
  const address = usernameOf(name, zone);
  const passphrase = await readPassphrase(io, {
    file: flags["passphrase-file"],
    label: `Passphrase of ${address}`,
    fresh: false,
  });
  const { link, node } = await connectToServer(io, route, server, io.signal);
  try {
    let unlocked: Unlocked;
    try {
      unlocked = await loginByPassphrase(link, node, address, passphrase);
    } catch (error) {
      if (error instanceof AccountError && error.reason === "throttled") {
        throw new CommandError(
          `Cannot log in: too many attempts; try again in ${error.retryIn} s`,
        );
      }
      throw error;
    }
    const { keyring, usrKey } = unlocked;
    const { onion } = flags;
    const account = { address, server, interactive: true, onion, usrKey };
    return await Profile.create(
      io,
      flags.profile,
      account,
      keyring,
      passphrase,
      route,
    );
  } finally {
    await link.close();
  }
}
