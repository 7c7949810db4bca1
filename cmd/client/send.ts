import type { HistoryEntry } from "../../lib/mailbox/mod.ts";
import { parseDuration } from "../duration.ts";
import { CommandError, describe, UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import type { Io } from "../io.ts";
import { personOf } from "./address.ts";
import { entryObject } from "./entry_line.ts";
import { Online } from "./online.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";
import { readText } from "./text_source.ts";

/** Help for `sotto client send`. */
export const usage = `sotto client send writes to somebody.

Usage: sotto client send PERSON [TEXT] [--file FILE] [FLAG]...

The text is the argument, the content of --file, or standard input; at most 64 KiB. It is sealed on this
machine for PERSON alone. The command ends when the server has it on disk; PERSON gets it when online.

Flags:
  --file FILE              read the text from FILE; "-" is standard input
  --delivered              wait until PERSON's machine says that it has it
  --wait DURATION          give up waiting after this time; 30s if not given. The text stays queued and
                           leaves with the next command that is online; exit code 1 says so
  --json                   print the message as JSON
  --passphrase-file FILE, --profile NAME

Examples:
  sotto client send bob "the train is late"
  sotto client send bob@example.org < notes.txt
  sotto client send bob --file report.txt --delivered --wait 10m
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  file: { type: "string" },
  delivered: { type: "boolean" },
  wait: { type: "string" },
} as const;

/** `sotto client send`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 1,
    most: 2,
    shape: "PERSON [TEXT]",
  });
  const wait = parseDuration(flags.wait ?? "30s");
  const [person, argument] = operands;
  const text = await readText(io, argument, flags.file);
  using profile = await Profile.open(io, flags);
  const address = personOf(person!, profile.address);
  if (address === profile.address) {
    throw new UsageError("you cannot write to yourself");
  }
  const entry = await sendAndWait(io, profile, address, text, flags, wait);
  if (flags.json) {
    await io.stdout.write(`${JSON.stringify(entryObject(address, entry))}\n`);
  } else if (!flags.quiet) {
    await io.stderr.write(`${address}: ${entry.state}\n`);
  }
  return 0;
}

async function sendAndWait(
  io: Io,
  profile: Profile,
  address: string,
  text: string,
  flags: FlagValues<typeof FLAGS>,
  wait: number,
): Promise<HistoryEntry> {
  const goal = flags.delivered
    ? ["delivered", "read"]
    : ["stored", "delivered", "read"];
  let number = 0;
  let latest: HistoryEntry | undefined;
  let look = () => {};
  const online = await Online.start(io, profile, {
    receive: flags.delivered,
    onEvent: (event) => {
      if (event.kind === "identity-changed" && event.address === address) {
        changed = true;
      }
      if (event.kind === "state" && event.address === address) {
        if (number === 0 || event.entry.number === number) latest = event.entry;
      }
      look();
    },
  });
  let changed = false;
  try {
    number = await online.mailbox.send(address, text);
    const outcome = await new Promise<"done" | "failed" | "changed" | "late">(
      (resolve, reject) => {
        const timer = setTimeout(() => settle("late"), wait);
        const settle = (how: "done" | "failed" | "changed" | "late") => {
          clearTimeout(timer);
          look = () => {};
          resolve(how);
        };
        look = () => {
          if (changed) settle("changed");
          else if (latest?.number !== number) return;
          else if (latest.state === "failed") settle("failed");
          else if (goal.includes(latest.state)) settle("done");
        };
        io.signal.addEventListener("abort", () => settle("late"));
        online.ended.catch((error) => {
          clearTimeout(timer);
          reject(error);
        });
        look();
      },
    );
    const entry = await online.mailbox.book.entry(address, number) ?? latest!;
    if (outcome === "done") return entry;
    throw notThere(address, entry, outcome, online.lastFailure);
  } finally {
    await online.close();
  }
}

function notThere(
  address: string,
  entry: HistoryEntry,
  outcome: "failed" | "changed" | "late",
  failure: unknown,
): CommandError {
  if (outcome === "failed") {
    return new CommandError(`Cannot send to ${address}: ${entry.reason}`);
  }
  if (outcome === "changed") {
    return new CommandError(
      `Cannot send to ${address}: THEIR IDENTITY HAS CHANGED, the text stays queued`,
      {
        hint:
          `ask them by another way; if they have new keys: sotto client contacts accept ${address}`,
      },
    );
  }
  const why = entry.reason !== ""
    ? `: ${entry.reason}`
    : entry.state === "queued" && failure !== undefined
    ? `: ${describe(failure)}`
    : "";
  return new CommandError(
    entry.state === "queued"
      ? `Not sent yet to ${address}${why}; the text stays queued`
      : `Not delivered yet to ${address}; the server keeps it for them`,
    entry.state === "queued"
      ? { hint: "it leaves with the next command that is online" }
      : {},
  );
}
