import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes } from "../../protocol/mod.ts";
import type { GroupCommit } from "../group_commit.ts";
import { queryLater } from "../query.ts";
import type { OneTimeKey, PrekeyStore } from "../server_store.ts";
import { noAccount } from "./no_account.ts";

const READ = "read prekeys";

/** Prekeys in SQLite. */
export class SqlitePrekeys implements PrekeyStore {
  readonly #sql: Statements;
  readonly #writer: GroupCommit;

  constructor(db: DatabaseSync, writer: GroupCommit) {
    this.#sql = prepare(db);
    this.#writer = writer;
  }

  publish(
    address: string,
    bundle: Bytes,
    oneTime: readonly OneTimeKey[],
    replace: boolean,
  ): Promise<number> {
    const sql = this.#sql;
    return this.#writer.write(() => {
      const account = sql.account.get(address)?.id as number | undefined;
      if (account === undefined) throw noAccount("publish prekeys");
      if (replace) sql.drop.run(account);
      const before = replace ? -1 : (sql.highest.get(account)?.id ?? -1);
      let highest = before as number;
      for (const { id, key } of oneTime) {
        if (id <= (before as number)) continue;
        sql.add.run(account, id, key);
        highest = Math.max(highest, id);
      }
      sql.setBundle.run(account, bundle, highest);
      return sql.left.get(address)!.count as number;
    });
  }

  bundle(address: string): Promise<Bytes | undefined> {
    return queryLater(
      READ,
      () => this.#sql.bundle.get(address)?.bundle as Bytes | undefined,
    );
  }

  takeOneTime(address: string): Promise<OneTimeKey | undefined> {
    return this.#writer.write(() => {
      const row = this.#sql.take.get(address);
      if (row === undefined) return undefined;
      return { id: row.id as number, key: row.key as Bytes };
    });
  }

  left(address: string): Promise<number> {
    return queryLater(
      READ,
      () => this.#sql.left.get(address)!.count as number,
    );
  }
}

type Statements = Record<
  | "account"
  | "add"
  | "bundle"
  | "drop"
  | "highest"
  | "left"
  | "setBundle"
  | "take",
  StatementSync
>;

function prepare(db: DatabaseSync): Statements {
  const byAddress = "account = (select id from names where address = ?1)";
  return {
    account: db.prepare(
      "select id from accounts join names using (id) where address = ?",
    ),
    drop: db.prepare("delete from one_time_keys where account = ?"),
    highest: db.prepare(
      "select highest_id as id from bundles where account = ?",
    ),
    add: db.prepare(
      `insert into one_time_keys (account, id, key) values (?, ?, ?)
       on conflict do nothing`,
    ),
    setBundle: db.prepare(
      `insert into bundles (account, bundle, highest_id) values (?, ?, ?)
       on conflict do update
         set bundle = excluded.bundle, highest_id = excluded.highest_id`,
    ),
    bundle: db.prepare(`select bundle from bundles where ${byAddress}`),
    take: db.prepare(
      `delete from one_time_keys
       where ${byAddress} and id =
         (select min(id) from one_time_keys where ${byAddress})
       returning id, key`,
    ),
    left: db.prepare(
      `select count(*) as count from one_time_keys where ${byAddress}`,
    ),
  };
}
