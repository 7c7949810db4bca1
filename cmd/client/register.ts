import { AccountError, register } from "../../lib/account/mod.ts";
import type { RegisterOptions } from "../../lib/account/mod.ts";
import {
  formatServerAddress,
  generateKeyring,
} from "../../lib/identity/mod.ts";
import type { Keyring, ServerAddress } from "../../lib/identity/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import type { Io } from "../io.ts";
import { openAccountKeyring } from "../key_file.ts";
import { readPassphrase } from "../passphrase.ts";
import { usernameOf } from "./address.ts";
import { readInvite } from "./invite.ts";
import { Online } from "./online.ts";
import { Profile, profileExists } from "./profile.ts";
import { Route, ROUTE_FLAGS } from "./route.ts";
import { aboutServer, connectToServer, serverOf } from "./server_link.ts";

/** Help for `sotto client register`. */
export const usage = `sotto client register makes an account at a server.

Usage: sotto client register NAME[@ZONE] --server SERVER [FLAG]...

Keys are made on this machine. The server keeps them wrapped by your passphrase, which it never sees, so
that you can log in from another machine. Nobody can reset a passphrase that is lost.

Flags:
  --server SERVER          HOST, HOST:PORT or sotto://FINGERPRINT@HOST:PORT (checked against the server)
  --passphrase-file FILE   the passphrase, instead of asking; "-" reads it from standard input
  --invite-file FILE       the invite, where the server asks for one; "-" reads it from standard input
  --non-interactive        an account for a bot: no passphrase, the keys stay on this machine only
  --key FILE               for such an account: keys that sotto keygen account has made
  --secret-file FILE       what that file is sealed by
  --onion                  reach the server through the onion network, now and always: it does not learn from
                           where (sotto client network set says through which network)
  --profile NAME           keep it beside other accounts, under this name
  --json                   print {"address", "server", "profile"}

Examples:
  sotto client register alice --server example.org
  sotto client register alice --server sotto://FINGERPRINT@example.org --invite-file invite.txt
  sotto client register backup-bot --server example.org --non-interactive --profile bot
`;

const FLAGS = {
  ...COMMON_FLAGS,
  server: { type: "string" },
  ...ROUTE_FLAGS,
  "passphrase-file": { type: "string" },
  "invite-file": { type: "string" },
  "non-interactive": { type: "boolean" },
  key: { type: "string" },
  "secret-file": { type: "string" },
} as const;

/** `sotto client register`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 1,
    shape: "NAME[@ZONE] --server SERVER",
  });
  if (flags.server === undefined) {
    throw new UsageError("--server is missing", {
      hint: "sotto client register NAME --server HOST",
    });
  }
  const bot = flags["non-interactive"] || flags.key !== undefined;
  if (await profileExists(io, flags.profile)) {
    throw new CommandError("Cannot register: this profile has an account", {
      hint: "choose another name with --profile NAME",
    });
  }
  const server = serverOf(flags.server);
  const route = new Route(io, flags);
  const { zone, registration } = await aboutServer(io, route, server);
  const address = usernameOf(operands[0]!, zone);
  const invite = registration === "invite" || flags["invite-file"] !== undefined
    ? await readInvite(io, flags["invite-file"])
    : undefined;
  const passphrase = bot ? undefined : await readPassphrase(io, {
    file: flags["passphrase-file"],
    label: `New passphrase of ${address}`,
    fresh: true,
  });
  const keyring = await keysOf(io, flags, address);
  const secrets = { passphrase, invite };
  const usrKey = await attempt(io, route, server, keyring, secrets);
  using profile = await Profile.create(
    io,
    flags.profile,
    { address, server, interactive: !bot, onion: flags.onion, usrKey },
    keyring,
    passphrase ?? null,
    route,
  );
  await profile.unlock(io);
  await announce(io, profile);
  await say(io, flags, profile);
  return 0;
}

async function keysOf(
  io: Io,
  flags: FlagValues<typeof FLAGS>,
  address: string,
): Promise<Keyring> {
  if (flags.key === undefined) {
    return await generateKeyring(address, Math.floor(io.now() / 1_000));
  }
  const keyring = await openAccountKeyring(io, flags, flags.key);
  if (keyring.certificate.address !== address) {
    throw new CommandError(
      `Cannot register ${address}: the keys are those of ${keyring.certificate.address}`,
    );
  }
  return keyring;
}

async function attempt(
  io: Io,
  route: Route,
  server: ServerAddress,
  keyring: Keyring,
  options: RegisterOptions,
): Promise<Awaited<ReturnType<typeof register>>> {
  const { link, node } = await connectToServer(io, route, server, io.signal);
  try {
    return await register(link, node, keyring, options);
  } catch (error) {
    if (error instanceof AccountError && error.reason === "name-taken") {
      throw new CommandError(
        `Cannot register ${keyring.certificate.address}: the name is taken`,
        {
          hint: "choose another; if it is yours: sotto client login NAME@ZONE",
        },
      );
    }
    throw error;
  } finally {
    await link.close();
  }
}

/** Puts prekeys at the server, so that others can write from now on. */
async function announce(io: Io, profile: Profile): Promise<void> {
  const online = await Online.start(io, profile, {
    receive: false,
    onEvent: () => {},
  });
  await online.ready;
  await online.close();
}

async function say(
  io: Io,
  flags: FlagValues<typeof FLAGS>,
  { address, account }: Profile,
): Promise<void> {
  const server = formatServerAddress(account.server);
  if (flags.json) {
    const profile = flags.profile ?? "default";
    await io.stdout.write(`${JSON.stringify({ address, server, profile })}\n`);
  } else if (!flags.quiet) {
    await io.stdout.write(
      `you are ${address}\n` +
        (account.interactive
          ? "keep the passphrase: nobody can reset it\n"
          : "the keys of this account are on this machine only\n"),
    );
  }
}
