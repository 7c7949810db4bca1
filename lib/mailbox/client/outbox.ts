import { CommandWriter, utf8 } from "../../protocol/mod.ts";
import type { ClientSession } from "../../account/mod.ts";
import { AccountError } from "../../account/mod.ts";
import { LETTER, LETTER_ID, PERSON, POST } from "../commands.ts";
import type { Correspondent } from "./correspondent.ts";
import { entryKey, HISTORY } from "./history_entry.ts";
import type { HistoryEntry } from "./history_entry.ts";
import type { MailboxEvent } from "./mailbox_event.ts";
import { OUTBOX } from "./outbox_letter.ts";
import type { OutboxLetter } from "./outbox_letter.ts";
import type { Sealed } from "./sealing.ts";
import { transact } from "./transaction.ts";

/** Brings sealed letters to the server and notes what came of it. */
export class Outbox {
  readonly #self: Correspondent;
  readonly #onEvent: (event: MailboxEvent) => void;
  readonly #posting = new Map<string, Promise<void>>();

  constructor(self: Correspondent, onEvent: (event: MailboxEvent) => void) {
    this.#self = self;
    this.#onEvent = onEvent;
  }

  /** Posts everything that was sealed, also by other processes and before. */
  async postWaiting(session: ClientSession): Promise<void> {
    const records = await this.#self.vault.list(OUTBOX.kind);
    this.post(
      session,
      records.map(({ key, body }) => ({ key, letter: OUTBOX.decode(body) })),
    );
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#posting.values());
  }

  /** Posts letters that are not being posted already. */
  post(session: ClientSession, sealed: readonly Sealed[]): void {
    for (const { key, letter } of sealed) {
      if (this.#posting.has(key)) continue;
      const posting = this.#post(session, key, letter)
        .catch(() => {/* the connection is gone; the next one posts it */})
        .finally(() => this.#posting.delete(key));
      this.#posting.set(key, posting);
    }
  }

  async #post(
    session: ClientSession,
    key: string,
    letter: OutboxLetter,
  ): Promise<void> {
    try {
      await session.request(
        new CommandWriter(letter.letter.length + 128)
          .set(PERSON, utf8(letter.address)).set(LETTER_ID, letter.letterId)
          .set(LETTER, letter.letter).verb(POST).done(),
      );
      await this.#posted(key, letter, "");
    } catch (error) {
      if (!(error instanceof AccountError)) throw error;
      await this.#posted(key, letter, error.reason);
    }
  }

  /** @param refusal why the server did not take the letter; empty if it did. */
  async #posted(
    key: string,
    letter: OutboxLetter,
    refusal: string,
  ): Promise<void> {
    const { address, entry: number } = letter;
    const waits = refusal !== "" && refusal !== "unknown-person";
    const changed = await transact(this.#self.vault, async (transaction) => {
      if (await transaction.read(OUTBOX, key) === undefined) return undefined;
      if (!waits) transaction.remove(OUTBOX, key);
      if (number === 0) return undefined;
      const place = entryKey(await this.#self.blind(address), number);
      const entry = await transaction.read(HISTORY, place);
      if (entry === undefined) return undefined;
      const next = afterPosting(entry, refusal, waits, this.#self.now());
      transaction.write(HISTORY, place, next);
      return next.state === entry.state && next.reason === entry.reason
        ? undefined
        : next;
    });
    if (changed !== undefined) {
      this.#onEvent({ kind: "state", address, entry: changed });
    }
  }
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
