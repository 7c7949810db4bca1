import type { DatabaseSync } from "node:sqlite";
import { openDatabase } from "./database.ts";
import { GroupCommit } from "./group_commit.ts";
import { queryLater } from "./query.ts";
import type {
  AccountStore,
  BlobStore,
  InviteStore,
  LetterStore,
  PrekeyStore,
  ServerStore,
} from "./server_store.ts";
import { SqliteAccounts } from "./sqlite/accounts.ts";
import { SqliteBlobs } from "./sqlite/blobs.ts";
import { SqliteInvites } from "./sqlite/invites.ts";
import { SqliteLetters } from "./sqlite/letters.ts";
import { SqliteNames } from "./sqlite/names.ts";
import { SqlitePrekeys } from "./sqlite/prekeys.ts";
import { SERVER_SCHEMA } from "./sqlite/schema.ts";

/**
 * The embedded `ServerStore`: one SQLite file. Writes of many callers share a commit. Another process
 * may use the file at the same time, as an operator's command does; several servers should not.
 */
export class SqliteServerStore implements ServerStore {
  /** Who there is. */
  readonly accounts: AccountStore;
  /** What others need to write to them. */
  readonly prekeys: PrekeyStore;
  /** What waits for them. */
  readonly letters: LetterStore;
  /** Who may come. */
  readonly invites: InviteStore;
  /** What is known of blobs. */
  readonly blobs: BlobStore;
  readonly #db: DatabaseSync;
  readonly #writer: GroupCommit;

  private constructor(db: DatabaseSync) {
    this.#db = db;
    this.#writer = new GroupCommit(db);
    const names = new SqliteNames(db);
    const letters = new SqliteLetters(db, this.#writer, names);
    this.letters = letters;
    this.accounts = new SqliteAccounts(db, this.#writer, names, letters);
    this.prekeys = new SqlitePrekeys(db, this.#writer);
    this.invites = new SqliteInvites(db, this.#writer);
    this.blobs = new SqliteBlobs(db, this.#writer);
  }

  /**
   * Opens the database at `path`, or makes it, readable by its owner only. `":memory:"` gives one
   * that ends with the process, for tests.
   *
   * @throws {StoreError} if the file cannot be opened, is no such database, or is from a newer version.
   */
  static open(path: string): Promise<SqliteServerStore> {
    return queryLater("open the database", () => {
      const db = openDatabase(path, SERVER_SCHEMA);
      try {
        return new SqliteServerStore(db);
      } catch (error) {
        db.close();
        throw error;
      }
    });
  }

  /** Writes what is queued and lets go of the file. Idempotent. */
  close(): Promise<void> {
    if (this.#db.isOpen) {
      this.#writer.close();
      this.#db.close();
    }
    return Promise.resolve();
  }
}
