import {
  formatFingerprint,
  parseCertificateText,
} from "../../lib/identity/mod.ts";
import type { MailboxClient } from "../../lib/mailbox/mod.ts";
import { CommandError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { personOf } from "./address.ts";
import { offlineMailbox } from "./contacts_list.ts";
import { Online } from "./online.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";
import { onlineWithin } from "./waiting.ts";

/** Help for `sotto client contacts add`. */
export const usage =
  `sotto client contacts add pins somebody's certificate before the first letter.

Usage: sotto client contacts add PERSON [--certificate FILE] [--profile NAME]

With --certificate the keys come from a file that PERSON has handed over (sotto client export
--certificate writes it), and nobody in between can have changed them. Without it they come from the
server; compare them with sotto client verify PERSON.

Examples:
  sotto client contacts add bob --certificate bob.cert
  sotto client contacts add bob
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  certificate: { type: "string" },
} as const;

/** `sotto client contacts add`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 1,
    shape: "PERSON",
  });
  using profile = await Profile.open(io, flags);
  const address = personOf(operands[0]!, profile.address);
  const { book } = flags.certificate === undefined
    ? await fromServer(io, profile, address)
    : await fromFile(io, profile, address, flags.certificate);
  const contact = await book.contact(address);
  if (contact?.changed !== null) {
    throw new CommandError(
      `Cannot add ${address}: another certificate is pinned`,
      { hint: `sotto client contacts accept ${address} takes the new one` },
    );
  }
  const certificate = await book.certificate(address);
  if (!flags.quiet) {
    await io.stdout.write(`${address} ${formatFingerprint(certificate!.id)}\n`);
  }
  return 0;
}

async function fromServer(
  io: Io,
  profile: Profile,
  address: string,
): Promise<MailboxClient> {
  const online = await Online.start(io, profile, {
    receive: false,
    onEvent: () => {},
  });
  try {
    await onlineWithin(online, 10_000);
    await online.mailbox.find(address);
    return online.mailbox;
  } finally {
    await online.close();
  }
}

async function fromFile(
  io: Io,
  profile: Profile,
  address: string,
  path: string,
): Promise<MailboxClient> {
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw new CommandError(`Cannot read ${path}`, { cause });
  });
  const mailbox = await offlineMailbox(io, profile);
  try {
    const parsed = await parseCertificateText(text);
    if (parsed.kind !== "account") {
      throw new CommandError("it is a node's certificate");
    }
    await mailbox.book.pin(address, parsed.certificate.bytes);
  } catch (cause) {
    throw new CommandError(`Cannot use ${path}`, { cause });
  }
  return mailbox;
}
