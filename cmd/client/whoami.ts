import { CREATED_AT, USERNAME, WHO_AM_I } from "../../lib/account/mod.ts";
import {
  formatFingerprint,
  formatServerAddress,
} from "../../lib/identity/mod.ts";
import { CommandWriter, fromUtf8 } from "../../lib/protocol/mod.ts";
import { CommandError } from "../errors.ts";
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

Flags:
  --offline                only what this machine knows; does not ask the server
  --json                   print {"address", "server", "kind", "certificateId", "registered"}

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
  const facts = {
    address,
    server: formatServerAddress(account.server),
    kind: account.interactive ? "interactive" : "non-interactive",
    certificateId: formatFingerprint(
      keyring.certificate.id,
      flags.json ? "" : " ",
    ),
    ...flags.offline ? {} : { registered: await registered(io, profile) },
  };
  if (flags.json) await io.stdout.write(`${JSON.stringify(facts)}\n`);
  else {
    for (const [name, value] of Object.entries(facts)) {
      const title = name === "certificateId" ? "certificate id" : name;
      await io.stdout.write(`${title.padEnd(15)} ${value}\n`);
    }
  }
  return 0;
}

/** When the server says that the account was made; it must be the account that we think it is. */
async function registered(io: Io, profile: Profile): Promise<string> {
  const online = await Online.start(io, profile, {
    receive: false,
    onEvent: () => {},
  });
  try {
    await onlineWithin(online, 10_000);
    const answer = await online.session!.request(
      new CommandWriter().verb(WHO_AM_I).done(),
    );
    if (fromUtf8(answer.need(USERNAME)) !== profile.address) {
      throw new CommandError(
        `Cannot be ${profile.address}: the server takes this for another account`,
      );
    }
    return new Date(Number(answer.need(CREATED_AT))).toISOString();
  } finally {
    await online.close();
  }
}
