import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes } from "../../protocol/mod.ts";
import type { GroupCommit } from "../group_commit.ts";
import { queryLater } from "../query.ts";
import type { Invite, InviteStore } from "../server_store.ts";

/** Invites in SQLite. `SqliteAccounts.create` uses them up. */
export class SqliteInvites implements InviteStore {
  readonly #sql: Statements;
  readonly #writer: GroupCommit;

  constructor(db: DatabaseSync, writer: GroupCommit) {
    this.#sql = prepare(db);
    this.#writer = writer;
  }

  async create(invite: Invite): Promise<void> {
    const { hash, uses, expiresAt, note } = invite;
    if (!Number.isSafeInteger(uses) || uses < 1) {
      throw new RangeError(`Cannot create an invite: ${uses} uses`);
    }
    await this.#writer.write(() => {
      this.#sql.put.run(hash, uses, expiresAt, note);
    });
  }

  list(): Promise<Invite[]> {
    return queryLater("read invites", () =>
      this.#sql.list.all().map((row) => ({
        hash: row.hash as Bytes,
        uses: row.uses as number,
        expiresAt: row.expires_at as number,
        note: row.note as string,
      })));
  }

  revoke(hash: Bytes): Promise<boolean> {
    return this.#writer.write(() => this.#sql.revoke.run(hash).changes === 1);
  }

  expire(now: number): Promise<number> {
    return this.#writer.write(() => Number(this.#sql.expire.run(now).changes));
  }
}

type Statements = Record<"expire" | "list" | "put" | "revoke", StatementSync>;

function prepare(db: DatabaseSync): Statements {
  return {
    put: db.prepare(
      `insert or replace into invites (hash, uses, expires_at, note)
       values (?, ?, ?, ?)`,
    ),
    list: db.prepare(
      "select hash, uses, expires_at, note from invites order by expires_at, hash",
    ),
    revoke: db.prepare("delete from invites where hash = ?"),
    expire: db.prepare("delete from invites where expires_at <= ?"),
  };
}
