import { MailboxClient } from "../../lib/mailbox/mod.ts";
import type { Contact } from "../../lib/mailbox/mod.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { formatTable } from "../table.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";

/** Help for `sotto client contacts list`. */
export const usage = `sotto client contacts list shows whom you know.

Usage: sotto client contacts list [--json] [--profile NAME]

IDENTITY is pinned (as first seen), verified (you have compared), CHANGED (nothing is sent or read until
you accept it) or not seen yet. UNREAD and QUEUED are texts that wait for you, and for a connection.

Example:
  sotto client contacts list --json
`;

/** Among so many of the latest texts of each those that wait here are counted. */
const LOOKED_AT = 1_000;

/** Opens the mailbox of a profile without a connection. */
export function offlineMailbox(
  io: Io,
  profile: Profile,
): Promise<MailboxClient> {
  return MailboxClient.open({
    vault: profile.vault,
    keyring: profile.keyring,
    now: () => io.now(),
    onEvent: () => {},
  });
}

/** `sotto client contacts list`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, { ...COMMON_FLAGS, ...PROFILE_FLAGS });
  using profile = await Profile.open(io, flags);
  const { book } = await offlineMailbox(io, profile);
  const contacts = [];
  for (const contact of await book.contacts()) {
    const { address } = contact;
    const latest = await book.history(address, LOOKED_AT);
    contacts.push({
      address,
      identity: identityOf(contact),
      unread: contact.unread.length,
      queued: latest.filter(({ state }) => state === "queued").length,
    });
  }
  if (flags.json) {
    for (const contact of contacts) {
      await io.stdout.write(`${JSON.stringify(contact)}\n`);
    }
  } else if (contacts.length === 0) {
    await io.stderr.write("no contacts yet; write to somebody\n");
  } else {
    await io.stdout.write(formatTable(
      [{ title: "PERSON" }, { title: "IDENTITY" }, {
        title: "UNREAD",
        align: "right",
      }, { title: "QUEUED", align: "right" }],
      contacts.map(({ address, identity, unread, queued }) => [
        address,
        identity,
        String(unread),
        String(queued),
      ]),
    ));
  }
  return 0;
}

function identityOf({ certificate, changed, verified }: Contact): string {
  if (changed !== null) return "CHANGED";
  if (certificate.length === 0) return "not seen yet";
  return verified ? "verified" : "pinned";
}
