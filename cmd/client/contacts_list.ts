import { MailboxClient } from "../../lib/mailbox/mod.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { formatTable } from "../table.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";

/** Help for `sotto client contacts list`. */
export const usage = `sotto client contacts list shows whom you know.

Usage: sotto client contacts list [--json] [--profile NAME]

Example:
  sotto client contacts list --json
`;

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
  const contacts = (await book.contacts()).map((contact) => ({
    address: contact.address,
    identity: contact.changed !== null
      ? "CHANGED"
      : contact.certificate.length === 0
      ? "not seen yet"
      : contact.verified
      ? "verified"
      : "pinned",
    unread: contact.unread.length,
    queued: contact.unsealed.length,
  }));
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
