import { CommandWriter, utf8 } from "../../protocol/mod.ts";
import type { ClientSession } from "../../account/mod.ts";
import { AccountError } from "../../account/mod.ts";
import { LETTER, LETTER_ID, PERSON, POST } from "../commands.ts";
import type { Correspondent } from "./correspondent.ts";
import { FullMailboxes } from "./full_mailboxes.ts";
import { entryKey, HISTORY } from "./history_entry.ts";
import type { HistoryEntry } from "./history_entry.ts";
import type { MailboxEvent } from "./mailbox_event.ts";
import { OUTBOX } from "./outbox_letter.ts";
import type { OutboxLetter } from "./outbox_letter.ts";
import type { Sealed } from "./sealing.ts";
import { transact } from "./transaction.ts";
import type { Transaction } from "./transaction.ts";

/** Answers that are noted in one transaction at most. */
const NOTED_TOGETHER = 256;

/** What the server said to one letter. */
interface Answer extends Sealed {
  /** Why it did not take the letter; empty if it did. */
  readonly refusal: string;
}

/** Brings sealed letters to the server and notes what came of it. */
export class Outbox {
  readonly #self: Correspondent;
  readonly #onEvent: (event: MailboxEvent) => void;
  readonly #posting = new Map<string, Promise<void>>();
  readonly #full = new FullMailboxes((session) => {
    this.#tryFull(session).catch(() => {/* the vault is closed */});
  });
  /** Addresses of which the waiting letters are being looked for. */
  readonly #looking = new Set<string>();
  /** Resolves when what was to be posted so far is on its way: letters leave in the order of writing. */
  #before: Promise<void> = Promise.resolve();
  #answers: Answer[] = [];
  #noting: Promise<void> | undefined;

  constructor(self: Correspondent, onEvent: (event: MailboxEvent) => void) {
    this.#self = self;
    this.#onEvent = onEvent;
  }

  /** Posts everything that was sealed, also by other processes and before. */
  async postWaiting(session: ClientSession): Promise<void> {
    this.#full.clear();
    await this.#postThose(session, () => true);
  }

  /** There may be room again in a mailbox that was full: posts what was refused there. */
  async postAgain(session: ClientSession, address: string): Promise<void> {
    if (!this.#full.has(address) || this.#looking.has(address)) return;
    this.#looking.add(address);
    try {
      await this.#postThose(
        session,
        ({ letter }) => letter.address === address,
      );
    } finally {
      this.#looking.delete(address);
    }
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#before;
    await Promise.all(this.#posting.values());
  }

  /** Posts letters that are not being posted already, behind those that are being looked for. */
  post(session: ClientSession, sealed: readonly Sealed[]): void {
    this.#before = this.#before.then(() => this.#postNow(session, sealed));
  }

  #postNow(session: ClientSession, sealed: readonly Sealed[]): void {
    for (const { key, letter } of sealed) {
      if (this.#posting.has(key)) continue;
      const posting = this.#post(session, key, letter)
        .catch(() => {/* the connection is gone; the next one posts it */})
        .finally(() => this.#posting.delete(key));
      this.#posting.set(key, posting);
    }
  }

  async #postThose(
    session: ClientSession,
    wanted: (sealed: Sealed) => boolean,
  ): Promise<void> {
    const looking = this.#before.then(async () =>
      this.#postNow(session, (await this.#waiting()).filter(wanted))
    );
    this.#before = looking.catch(() => {/* told to whoever looks */});
    await looking;
  }

  async #waiting(): Promise<Sealed[]> {
    const records = await this.#self.vault.list(OUTBOX.kind);
    return records.map(({ key, body }) => ({
      key,
      letter: OUTBOX.decode(body),
    }));
  }

  async #post(
    session: ClientSession,
    key: string,
    letter: OutboxLetter,
  ): Promise<void> {
    const { address } = letter;
    try {
      await session.request(
        new CommandWriter(letter.letter.length + 128)
          .set(PERSON, utf8(address)).set(LETTER_ID, letter.letterId)
          .set(LETTER, letter.letter).verb(POST).done(),
      );
    } catch (error) {
      if (!(error instanceof AccountError)) throw error;
      if (error.reason === "mailbox-full") this.#full.add(session, address);
      return await this.#note({ key, letter, refusal: error.reason });
    }
    this.#full.hurry();
    await this.#note({ key, letter, refusal: "" });
    await this.postAgain(session, address);
  }

  /** Tries one letter for each mailbox that was full. */
  async #tryFull(session: ClientSession): Promise<void> {
    const first = new Map<string, Sealed>();
    for (const sealed of await this.#waiting()) {
      const { address } = sealed.letter;
      if (this.#full.has(address) && !first.has(address)) {
        first.set(address, sealed);
      }
    }
    this.#full.keep(session, new Set(first.keys()));
    this.post(session, [...first.values()]);
  }

  /** Saves an answer, with those that have come meanwhile; resolves when it is saved. */
  async #note(answer: Answer): Promise<void> {
    this.#answers.push(answer);
    this.#noting ??= this.#noteAll();
    await this.#noting;
  }

  async #noteAll(): Promise<void> {
    try {
      // The answers of one submission come one right after the other.
      await Promise.resolve();
      while (this.#answers.length > 0) {
        const answers = this.#answers.splice(0, NOTED_TOGETHER);
        const changed = await transact(
          this.#self.vault,
          (transaction) => noteAnswers(transaction, this.#self, answers),
        );
        for (const { address, entry } of changed) {
          this.#onEvent({ kind: "state", address, entry });
        }
      }
    } finally {
      this.#answers = [];
      this.#noting = undefined;
    }
  }
}

interface Changed {
  readonly address: string;
  readonly entry: HistoryEntry;
}

/** @returns the entries of which the user should hear. */
async function noteAnswers(
  transaction: Transaction,
  self: Correspondent,
  answers: readonly Answer[],
): Promise<Iterable<Changed>> {
  const changed = new Map<string, Changed>();
  for (const { key, letter: { address, entry: number }, refusal } of answers) {
    const noted = await transaction.read(OUTBOX, key) === undefined;
    const waits = refusal !== "" && refusal !== "unknown-person";
    if (!noted && !waits) transaction.remove(OUTBOX, key);
    if (number === 0) continue;
    const place = entryKey(await self.blind(address), number);
    const entry = await transaction.read(HISTORY, place);
    if (entry === undefined) continue;
    const next = noted
      ? entry
      : afterPosting(entry, refusal, waits, self.now());
    if (!noted) transaction.write(HISTORY, place, next);
    // Another process may have posted it and told its own user, not this one's.
    const news = noted
      ? entry.state !== "queued"
      : next.state !== entry.state || next.reason !== entry.reason;
    if (news) changed.set(place, { address, entry: next });
  }
  return changed.values();
}

/** The words of a refusal, as the history shows them. */
const REASONS: Readonly<Record<string, string>> = {
  "mailbox-full": "the mailbox is full",
  "unknown-person": "there is no such person",
};

function afterPosting(
  entry: HistoryEntry,
  refusal: string,
  waits: boolean,
  now: number,
): HistoryEntry {
  if (refusal !== "") {
    const reason = REASONS[refusal] ?? "the server refused it";
    return waits ? { ...entry, reason } : { ...entry, state: "failed", reason };
  }
  const unposted = Math.max(0, entry.unposted - 1);
  const stored = unposted === 0 && entry.state === "queued";
  return stored
    ? { ...entry, unposted, state: "stored", at: now, reason: "" }
    : { ...entry, unposted, reason: "" };
}
