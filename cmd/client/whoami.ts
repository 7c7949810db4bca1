import { CREATED_AT, USERNAME, WHO_AM_I } from "../../lib/account/mod.ts";
import {
  formatFingerprint,
  formatServerAddress,
} from "../../lib/identity/mod.ts";
import { CommandWriter, fromUtf8 } from "../../lib/protocol/mod.ts";
import { describe } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { Online } from "./online.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";
import { onlineWithin } from "./waiting.ts";

/** Help for `sotto client whoami`. */
export const usage = `sotto client whoami shows which account this is.

Usage: sotto client whoami [--offline] [--json] [--profile NAME]

It asks the server, which tells only the account itself. The certificate id is what a friend can compare
by another way; sotto client verify compares both sides at once.

Examples:
  sotto client whoami
  sotto client whoami --offline --json
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  offline: { type: "boolean" },
} as const;

/** `sotto client whoami`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  using profile = await Profile.open(io, flags);
  const { address, account, keyring } = profile;
  const lines: Record<string, string> = {
    address,
    server: formatServerAddress(account.server),
    kind: account.interactive ? "interactive" : "non-interactive",
    "certificate id": formatFingerprint(keyring.certificate.id),
  };
  if (!flags.offline) Object.assign(lines, await ask(io, profile));
  if (flags.json) await io.stdout.write(`${JSON.stringify(lines)}\n`);
  else {
    for (const [name, value] of Object.entries(lines)) {
      await io.stdout.write(`${name.padEnd(15)} ${value}\n`);
    }
  }
  return 0;
}

async function ask(io: Io, profile: Profile): Promise<Record<string, string>> {
  const online = await Online.start(io, profile, {
    receive: false,
    onEvent: () => {},
  });
  try {
    await onlineWithin(online, 10_000);
    const answer = await online.session!.request(
      new CommandWriter().verb(WHO_AM_I).done(),
    );
    const createdAt = new Date(Number(answer.need(CREATED_AT)));
    const known = fromUtf8(answer.need(USERNAME)) === profile.address;
    return {
      "at the server": known ? "known" : "ANOTHER ACCOUNT",
      "registered": createdAt.toISOString(),
    };
  } catch (error) {
    return { "at the server": `not asked: ${describe(error)}` };
  } finally {
    await online.close();
  }
}
