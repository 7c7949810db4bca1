import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes } from "../../protocol/mod.ts";
import type { GroupCommit } from "../group_commit.ts";
import { queryLater } from "../query.ts";
import type {
  Letter,
  LetterAddition,
  LetterStore,
  LetterUsage,
  StoredLetter,
} from "../server_store.ts";
import type { SqliteNames } from "./names.ts";

/** Letters that one transaction lets expire: the event loop waits for it. */
const EXPIRE_LIMIT = 250;

/** Letters in SQLite. Adding one takes three statements, acknowledging one takes two. */
export class SqliteLetters implements LetterStore {
  readonly #sql: Statements;
  readonly #writer: GroupCommit;
  readonly #names: SqliteNames;

  constructor(db: DatabaseSync, writer: GroupCommit, names: SqliteNames) {
    this.#sql = prepare(db);
    this.#writer = writer;
    this.#names = names;
  }

  async add(letter: Letter, quota: LetterUsage): Promise<LetterAddition> {
    const recipient = this.#names.find(letter.recipient);
    if (recipient === undefined) {
      return { outcome: "unknown-recipient", sequence: 0 };
    }
    const sender = this.#names.find(letter.sender);
    return await this.#writer.write(() =>
      this.#add(letter, sender, recipient, quota)
    );
  }

  pending(
    recipient: string,
    afterSequence: number,
    limit: number,
  ): Promise<StoredLetter[]> {
    return queryLater(
      "read letters",
      () =>
        this.#sql.pending.all(recipient, afterSequence, limit).map((row) => ({
          sequence: row.sequence as number,
          sender: row.sender as string,
          letterId: row.letter_id as Bytes,
          body: row.body as Bytes,
          storedAt: row.stored_at as number,
        })),
    );
  }

  async acknowledge(
    recipient: string,
    sequences: readonly number[],
  ): Promise<number> {
    const id = this.#names.find(recipient);
    if (id === undefined || sequences.length === 0) return 0;
    return await this.#writer.write(() => {
      let letters = 0;
      let bytes = 0;
      for (const sequence of sequences) {
        const removed = this.#sql.remove.get(id, sequence);
        if (removed === undefined) continue;
        letters++;
        bytes += removed.bytes as number;
      }
      if (letters > 0) this.#sql.release.run(id, letters, bytes);
      return letters;
    });
  }

  async expire(now: number): Promise<number> {
    let total = 0;
    for (;;) {
      const [ids, letters] = await this.#writer.write(() => {
        const expired = this.#sql.expireIds.all(now, EXPIRE_LIMIT);
        return [expired.length, this.#removeAll(expired)];
      });
      total += letters;
      if (ids < EXPIRE_LIMIT) return total;
    }
  }

  usage(recipient: string): Promise<LetterUsage> {
    return queryLater("read letters", () => {
      const box = this.#sql.usage.get(recipient);
      return {
        letters: (box?.letters ?? 0) as number,
        bytes: (box?.bytes ?? 0) as number,
      };
    });
  }

  /** Deletes all letters to and from an account, and their ids. Only in a transaction. */
  deleteOf(account: number): void {
    this.#removeAll(this.#sql.deleteIdsFrom.all(account));
    this.#sql.deleteIdsTo.run(account);
    this.#sql.deleteTo.run(account);
  }

  #add(
    letter: Letter,
    knownSender: number | undefined,
    recipient: number,
    quota: LetterUsage,
  ): LetterAddition {
    const { letterId, body, storedAt, expiresAt } = letter;
    const sql = this.#sql;
    const sender = knownSender ?? this.#names.intern(letter.sender);
    const sequence = sql.reserve.get(
      recipient,
      body.length,
      quota.letters,
      quota.bytes,
    )?.last_sequence as number | undefined;
    if (sequence !== undefined) {
      const { changes } = sql.addId
        .run(sender, recipient, letterId, sequence, expiresAt);
      if (changes === 1) {
        sql.add.run(recipient, sequence, sender, letterId, storedAt, body);
        return { outcome: "stored", sequence };
      }
      sql.release.run(recipient, 1, body.length);
    }
    const earlier = sql.findId.get(sender, recipient, letterId);
    if (earlier !== undefined) {
      return { outcome: "duplicate", sequence: earlier.sequence as number };
    }
    const exists = sql.hasBox.get(recipient) !== undefined;
    return { outcome: exists ? "quota" : "unknown-recipient", sequence: 0 };
  }

  /** @returns how many of the letters were there. */
  #removeAll(letters: readonly Record<string, unknown>[]): number {
    let count = 0;
    for (const letter of letters) {
      const recipient = letter.recipient as number;
      const removed = this.#sql.remove
        .get(recipient, letter.sequence as number);
      if (removed === undefined) continue;
      this.#sql.release.run(recipient, 1, removed.bytes as number);
      count++;
    }
    return count;
  }
}

type Statements = Record<
  | "add"
  | "addId"
  | "deleteIdsFrom"
  | "deleteIdsTo"
  | "deleteTo"
  | "expireIds"
  | "findId"
  | "hasBox"
  | "pending"
  | "release"
  | "remove"
  | "reserve"
  | "usage",
  StatementSync
>;

function prepare(db: DatabaseSync): Statements {
  return {
    reserve: db.prepare(
      `update boxes set last_sequence = last_sequence + 1,
         letters = letters + 1, bytes = bytes + ?2
       where account = ?1 and letters < ?3 and bytes + ?2 <= ?4
       returning last_sequence`,
    ),
    release: db.prepare(
      `update boxes set letters = letters - ?2, bytes = bytes - ?3
       where account = ?1`,
    ),
    hasBox: db.prepare("select 1 from boxes where account = ?"),
    usage: db.prepare(
      `select letters, bytes from boxes join names on id = account
       where address = ?`,
    ),
    addId: db.prepare(
      `insert into letter_ids (sender, recipient, letter_id, sequence, expires_at)
       values (?, ?, ?, ?, ?) on conflict do nothing`,
    ),
    findId: db.prepare(
      `select sequence from letter_ids
       where sender = ? and recipient = ? and letter_id = ?`,
    ),
    add: db.prepare(
      `insert into letters
         (recipient, sequence, sender, letter_id, stored_at, body)
       values (?, ?, ?, ?, ?, ?)`,
    ),
    remove: db.prepare(
      `delete from letters where recipient = ? and sequence = ?
       returning length(body) as bytes`,
    ),
    pending: db.prepare(
      `select sequence, sender.address as sender, letter_id, body, stored_at
       from names as recipient
         join letters on letters.recipient = recipient.id
         join names as sender on sender.id = letters.sender
       where recipient.address = ? and sequence > ?
       order by sequence limit ?`,
    ),
    expireIds: db.prepare(
      `delete from letter_ids where (sender, recipient, letter_id) in (
         select sender, recipient, letter_id from letter_ids
         where expires_at <= ? order by expires_at limit ?)
       returning recipient, sequence`,
    ),
    deleteIdsFrom: db.prepare(
      "delete from letter_ids where sender = ? returning recipient, sequence",
    ),
    // One seek for each name: slow, but it needs no index that every letter would pay for.
    deleteIdsTo: db.prepare(
      `delete from letter_ids
       where sender in (select id from names) and recipient = ?`,
    ),
    deleteTo: db.prepare("delete from letters where recipient = ?"),
  };
}
