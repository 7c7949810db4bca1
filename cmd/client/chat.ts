import type { HistoryEntry, MailboxEvent } from "../../lib/mailbox/mod.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import type { Conversation } from "../terminal/conversation.ts";
import { openConversation } from "../terminal/open_conversation.ts";
import { otherPersonOf } from "./address.ts";
import { entryLine, nameOf } from "./entry_line.ts";
import { eventText, offlineText } from "./event_text.ts";
import { Online } from "./online.ts";
import type { OnlineStatus } from "./online.ts";
import { Profile } from "./profile.ts";
import { PROFILE_FLAGS } from "./profile_secret.ts";
import { onlineWithin } from "./waiting.ts";

/** Help for `sotto client chat`. */
export const usage = `sotto client chat talks with somebody in the terminal.

Usage: sotto client chat PERSON [--history N] [--profile NAME]
       sotto client chat [PERSON] --private [--answer] [--mixes N] [--wait DURATION] [--json]

Type and press Enter. Behind your own texts stands how far they are:
  …         here only; leaves as soon as there is a connection
  ✓         on the server's disk
  ✓✓        on their machine
  ✓✓ read   shown to them
  ✗         not possible; it says why

When the connection breaks it comes back by itself, and nothing is lost meanwhile. /quit or Ctrl-D ends;
/verify shows the safety number, /help the rest.

With --private nobody learns whether you talk, nor with whom, as long as one mix of the server's chain is
honest; in a chain of one, which is the server alone, nobody but that server. Everybody who takes part hands
in the same number of messages in every round, whether they have something to say or not, and mixes shuffle
them. Both must be there at the same time: it calls PERSON, or answers if they call; without PERSON it waits
for calls. PERSON must be in your contacts with their certificate. Nothing of it is written to disk: what was
said is gone when it ends. Then the states are:
  …         waiting here
  ·         in a round
  ✓         exchanged in a round in which they were there
  ✓✓        on their machine
/accept and /refuse answer a call, /hangup ends one, /privacy tells what is hidden from whom, and what that
has cost so far.

Flags:
  --history N              texts of before to show; 20 if not given
  --private                in rounds of a mix, as above
  --answer                 with --private, answer everybody in the contacts who calls
  --wait DURATION          with --private, without a terminal: how long to wait until everything is delivered
                           when the input has ended; 10m if not given. The exit code tells whether it was
  --mixes N                with --private, take part only where the chain has N mixes or more; 1 if not given
  --no-circuits            with --private, take part only where mixes cannot link the messages of a run
  --onion                  reach the server through the onion network: then it does not see from where
  --json                   with --private, print what happens, one JSON object a line; texts and commands are
                           lines of standard input, as without it
  --passphrase-file FILE, --profile NAME

Examples:
  sotto client chat bob
  sotto client chat bob@example.org --history 100
  sotto client chat bob --private --onion --mixes 3
  sotto client chat --private
  echo hello | sotto client chat bob --private --wait 2m
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...PROFILE_FLAGS,
  history: { type: "string" },
  private: { type: "boolean" },
  answer: { type: "boolean" },
  wait: { type: "string" },
  mixes: { type: "string" },
  "no-circuits": { type: "boolean" },
} as const;

const HELP = `/verify   the safety number to compare with them
/history  older texts
/quit     end (also Ctrl-D)
Anything else that begins with / is sent if you write // in its place.`;

/** How long a script waits for a connection at its end, in milliseconds. */
const PATIENCE = 10_000;

/** `sotto client chat`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    most: 1,
    shape: "PERSON",
  });
  const [named] = operands;
  if (flags.private) {
    const { runPrivate } = await import("./private/run_private.ts");
    return await runPrivate(io, named, flags);
  }
  if (named === undefined) {
    throw new UsageError("an argument is missing", {
      hint: "expected: PERSON",
    });
  }
  const isPrivate = flags.answer || flags.wait !== undefined || flags.json ||
    flags.mixes !== undefined || flags["no-circuits"];
  if (isPrivate) {
    throw new UsageError(
      "--answer, --mixes, --no-circuits, --wait and --json are for --private",
    );
  }
  const count = Number(flags.history ?? "20");
  if (!Number.isInteger(count) || count < 0 || count > 10_000) {
    throw new UsageError("--history needs a number from 0 to 10000");
  }
  using profile = await Profile.open(io, flags);
  const address = otherPersonOf(named, profile.address);
  const chat = new Chat(io, profile, address);
  return await chat.run(count);
}

class Chat {
  readonly #io: Io;
  readonly #profile: Profile;
  readonly #address: string;
  /** The same for people. */
  readonly #name: string;
  readonly #screen: Conversation;
  /** Where on the screen an entry stands, by its number. */
  readonly #lines = new Map<number, number>();
  #online: Online | undefined;
  #isOnline: boolean | undefined;

  constructor(io: Io, profile: Profile, address: string) {
    this.#io = io;
    this.#profile = profile;
    this.#address = address;
    this.#name = nameOf(address, profile.address);
    this.#screen = openConversation(io, `${this.#name}> `);
  }

  async run(history: number): Promise<number> {
    try {
      const online = await Online.start(this.#io, this.#profile, {
        receive: true,
        onEvent: (event) => this.#take(event),
        onStatus: (status) => this.#status(status),
      });
      this.#online = online;
      try {
        await this.#showHistory(history);
        await Promise.race([this.#talk(online), online.ended]);
        if (!this.#io.stdin.isTerminal) await this.#sendAll(online);
        return 0;
      } finally {
        await online.close();
      }
    } finally {
      await this.#screen.close();
    }
  }

  async #talk(online: Online): Promise<void> {
    for await (const line of this.#screen.messages()) {
      if (line === "/quit") return;
      if (line.trim() === "") continue;
      if (line.startsWith("/") && !line.startsWith("//")) {
        await this.#command(line);
        continue;
      }
      const text = line.startsWith("//") ? line.slice(1) : line;
      try {
        await online.mailbox.send(this.#address, text);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.#say("too long: at most 64 KiB");
      }
    }
  }

  /** What a script has written leaves before it ends; a person sees what has not, and may not wait. */
  async #sendAll(online: Online): Promise<void> {
    try {
      await onlineWithin(online, PATIENCE);
      await online.mailbox.flush();
    } catch {
      this.#say(
        "what was not sent leaves with the next command that is online",
      );
    }
  }

  async #command(line: string): Promise<void> {
    switch (line.trim()) {
      case "/verify": {
        const { safetyText } = await import("./verify.ts");
        const certificate = await this.#online?.mailbox.book
          .certificate(this.#address);
        this.#say(
          certificate === undefined
            ? "there is nothing to compare before the first letter"
            : await safetyText(this.#profile.keyring.certificate, certificate),
        );
        break;
      }
      case "/history":
        await this.#showHistory(200);
        break;
      default:
        this.#say(HELP);
    }
  }

  async #showHistory(count: number): Promise<void> {
    const { book } = this.#online!.mailbox;
    const entries = count === 0 ? [] : await book.history(this.#address, count);
    for (const entry of entries) this.#show(entry);
    await this.#markRead();
  }

  #take(event: MailboxEvent): void {
    if (event.kind === "moved") return this.#say(eventText(event)!);
    if (event.address !== this.#address) {
      if (event.kind === "text") {
        this.#say(`(${event.address} has written, too)`);
      }
      return;
    }
    if (event.kind === "text" || event.kind === "state") {
      this.#show(event.entry);
      if (event.kind === "text") this.#markRead();
      return;
    }
    const text = eventText(event);
    if (text !== undefined) this.#say(text);
  }

  /** Prints an entry, or prints it anew where it stands. */
  #show(entry: HistoryEntry): void {
    const line = entryLine(this.#name, entry, this.#screen.colours);
    const at = this.#lines.get(entry.number);
    if (at !== undefined) this.#screen.change(at, line);
    else this.#lines.set(entry.number, this.#screen.print(line));
  }

  async #markRead(): Promise<void> {
    try {
      await this.#online?.mailbox.markRead(this.#address);
    } catch {
      // It stays unread and is marked with the next one.
    }
  }

  #status(status: OnlineStatus): void {
    if (status.online === this.#isOnline) return;
    const before = this.#isOnline;
    this.#isOnline = status.online;
    this.#screen.setPrompt(
      status.online ? `${this.#name}> ` : `${this.#name} (offline)> `,
    );
    if (!status.online) this.#say(offlineText(status.why));
    else if (before === false) this.#say("back online");
  }

  #say(text: string): void {
    this.#screen.print(
      this.#screen.colours ? `\x1b[2m${text}\x1b[0m` : `-- ${text}`,
    );
  }
}
