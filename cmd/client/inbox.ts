import type { MailboxEvent } from "../../lib/mailbox/mod.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { personOf } from "./address.ts";
import { entryLine, entryObject, nameOf } from "./entry_line.ts";
import { eventText, offlineText } from "./event_text.ts";
import { Online } from "./online.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";
import { Showing } from "./showing.ts";
import type { ShownText } from "./showing.ts";
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

/** How long it waits for a connection before it shows what it has and ends, in milliseconds. */
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
  readonly #showing = new Showing({
    print: (text) => this.#print(text),
    markRead: (address, last) => this.#markRead(address, last),
  });
  #online: Online | undefined;
  #wasOnline = true;

  constructor(io: Io, profile: Profile, options: InboxOptions) {
    this.#io = io;
    this.#profile = profile;
    this.#options = options;
  }

  async run(): Promise<number> {
    const online = await Online.start(this.#io, this.#profile, {
      receive: true,
      onEvent: (event) => this.#take(event),
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
    this.#online = online;
    try {
      if (!this.#options.follow) {
        const failure = await this.#fetch(online);
        await this.#showing.found(() => this.#unread(online));
        if (failure === undefined) return 0;
        throw failure;
      }
      const stopped = interrupted(this.#io.signal);
      // Before anything arrives: what comes from now on is shown as it comes, behind this.
      await this.#showing.found(() => this.#unread(online));
      await Promise.race([stopped, online.ended]);
      return 0;
    } finally {
      await this.#showing.settled();
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

  /** What is to be shown of that which has come before. */
  async #unread({ mailbox: { book } }: Online): Promise<ShownText[]> {
    const { person, all } = this.#options;
    const texts: ShownText[] = [];
    for (const { address } of await book.contacts()) {
      if (person !== undefined && person !== address) continue;
      for (const entry of await book.history(address, HISTORY_SHOWN)) {
        const wanted = all && person !== undefined ||
          entry.state === "received";
        if (wanted) texts.push({ address, entry });
      }
    }
    return texts;
  }

  #take(event: MailboxEvent): void {
    if (event.kind === "text") {
      const { person, follow } = this.#options;
      if (!follow || (person !== undefined && person !== event.address)) return;
      return this.#showing.arrived(event);
    }
    const text = eventText(event);
    if (text !== undefined) this.#note(text);
  }

  async #markRead(address: string, last: number): Promise<void> {
    if (this.#options["keep-unread"]) return;
    await this.#online?.mailbox.markRead(address, last);
  }

  async #print({ address, entry }: ShownText): Promise<void> {
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
    this.#showing.behind(() => this.#io.stderr.write(`${text}\n`)).catch(
      () => {/* nobody reads it */},
    );
  }
}

function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
