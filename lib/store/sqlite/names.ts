import type { DatabaseSync, StatementSync } from "node:sqlite";
import { query } from "../query.ts";

/** Addresses that are remembered, to save the query. */
const KNOWN_LIMIT = 100_000;

/** The small numbers that stand for addresses inside the database. They are given once and for ever. */
export class SqliteNames {
  readonly #known = new Map<string, number>();
  readonly #find: StatementSync;
  readonly #add: StatementSync;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare("select id from names where address = ?");
    this.#add = db.prepare(
      `insert into names (address) values (?)
       on conflict do update set address = address returning id`,
    );
  }

  /** The number of `address`, if it has one. Not to be called in a transaction. */
  find(address: string): number | undefined {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const id = query(
      "read the database",
      () => this.#find.get(address)?.id as number | undefined,
    );
    if (id !== undefined) {
      if (this.#known.size >= KNOWN_LIMIT) this.#known.clear();
      this.#known.set(address, id);
    }
    return id;
  }

  /** The number of `address`, given now if it has none. Only in a transaction, which may yet fail. */
  intern(address: string): number {
    return this.#add.get(address)!.id as number;
  }
}
