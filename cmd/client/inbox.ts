import type { HistoryEntry, MailboxEvent } from "../../lib/mailbox/mod.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { personOf } from "./address.ts";
import { entryLine, entryObject, nameOf } from "./entry_line.ts";
import { eventText, offlineText } from "./event_text.ts";
import { Online } from "./online.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";
import { allArrived } from "./waiting.ts";

/** Help for `sotto client inbox`. */
export const usage = `sotto client inbox fetches letters and shows what is new.

Usage: sotto client inbox [PERSON] [--follow] [--all] [--keep-unread] [--json]

What is shown counts as read, and the writer is told so.

Flags:
  --follow, -f             stay and show what comes, until Ctrl-C; comes back by itself after a break
  --all                    the whole conversation with PERSON, one's own texts too
  --keep-unread            do not mark as read
  --json                   one JSON object a line
  --passphrase-file FILE, --profile NAME

Examples:
  sotto client inbox
  sotto client inbox bob --all
  sotto client inbox --follow --json | jq .text
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  follow: { type: "boolean", short: "f" },
  all: { type: "boolean" },
  "keep-unread": { type: "boolean" },
} as const;

/** How long it waits for a connection before it shows what it has, in milliseconds. */
const PATIENCE = 10_000;
/** Texts of a conversation that --all shows. */
const HISTORY_SHOWN = 10_000;

/** `sotto client inbox`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    most: 1,
    shape: "[PERSON]",
  });
  const [named] = operands;
  if (flags.all && named === undefined) {
    throw new UsageError("--all needs a PERSON", {
      hint: "sotto client inbox PERSON --all",
    });
  }
  using profile = await Profile.open(io, flags);
  const person = named === undefined
    ? undefined
    : personOf(named, profile.address);
  const inbox = new Inbox(io, profile, { ...flags, person });
  return await inbox.run();
}

interface InboxOptions {
  readonly person: string | undefined;
  readonly follow: boolean;
  readonly all: boolean;
  readonly "keep-unread": boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

class Inbox {
  readonly #io: Io;
  readonly #profile: Profile;
  readonly #options: InboxOptions;
  #shown = new Set<string>();
  #printing: Promise<void> = Promise.resolve();
  #wasOnline = true;

  constructor(io: Io, profile: Profile, options: InboxOptions) {
    this.#io = io;
    this.#profile = profile;
    this.#options = options;
  }

  async run(): Promise<number> {
    const online = await Online.start(this.#io, this.#profile, {
      receive: true,
      onEvent: (event) => this.#take(event, online),
      onStatus: (status) => {
        if (status.online) {
          if (!this.#wasOnline) this.#note("back online");
          this.#wasOnline = true;
        } else if (this.#wasOnline) {
          this.#wasOnline = false;
          this.#note(offlineText(status.why));
        }
      },
    });
    try {
      if (!this.#options.follow) {
        const failure = await this.#fetch(online);
        await this.#printUnread(online);
        if (failure === undefined) return 0;
        throw failure;
      }
      const stopped = interrupted(this.#io.signal);
      await Promise.race([stopped, this.#fetch(online)]);
      await this.#printUnread(online);
      await Promise.race([stopped, online.ended]);
      return 0;
    } finally {
      await this.#printing;
      await online.close();
    }
  }

  /** Waits until all that waited has come; why not, if it cannot. */
  async #fetch(online: Online): Promise<unknown> {
    try {
      await allArrived(online, PATIENCE);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #printUnread(online: Online): Promise<void> {
    const { person, all } = this.#options;
    for (const contact of await online.mailbox.book.contacts()) {
      const { address } = contact;
      if (person !== undefined && person !== address) continue;
      const entries = await online.mailbox.book.history(address, HISTORY_SHOWN);
      const wanted = entries.filter((entry) =>
        all && person !== undefined || entry.state === "received"
      );
      for (const entry of wanted) await this.#print(address, entry);
      if (wanted.length > 0) await this.#markRead(online, address);
    }
  }

  #take(event: MailboxEvent, online: Online): void {
    if (event.kind === "text") {
      const { address, entry } = event;
      const { person, follow } = this.#options;
      if (!follow || (person !== undefined && person !== address)) return;
      this.#printing = this.#printing.then(async () => {
        await this.#print(address, entry);
        await this.#markRead(online, address);
      }).catch(
        () => {/* the output is gone; the end of the command says so */},
      );
      return;
    }
    const text = eventText(event);
    if (text !== undefined) this.#note(text);
  }

  async #markRead(online: Online, address: string): Promise<void> {
    if (!this.#options["keep-unread"]) await online.mailbox.markRead(address);
  }

  async #print(address: string, entry: HistoryEntry): Promise<void> {
    const name = `${address} ${entry.number}`;
    if (this.#shown.has(name)) return;
    this.#shown.add(name);
    const { stdout } = this.#io;
    const who = nameOf(address, this.#profile.address);
    await stdout.write(
      this.#options.json
        ? `${JSON.stringify(entryObject(address, entry))}\n`
        : `${entryLine(who, entry, stdout.isTerminal)}\n`,
    );
  }

  #note(text: string): void {
    if (this.#options.quiet) return;
    this.#printing = this.#printing
      .then(() => this.#io.stderr.write(`${text}\n`)).catch(() => {});
  }
}

function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
