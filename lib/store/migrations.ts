import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "./store_error.ts";

/** What kind of database a file is, and how it became what it is now. */
export interface Schema {
  /** What it holds, for messages, such as "a server's database". */
  readonly holds: string;
  /** Marks the file (`pragma application_id`), a positive 32-bit integer. */
  readonly applicationId: number;
  /** SQL that leads from version i to version i + 1. Steps are never changed, only added. */
  readonly steps: readonly string[];
}

/**
 * Brings `db` to the newest version of `schema`, in one transaction: after a failure it is what it
 * was. Several processes may do so at once.
 *
 * @throws {StoreError} `ERR_STORE_NEWER` if a later program has written it,
 * `ERR_STORE_NOT_A_DATABASE` if it is a database of something else.
 */
export function migrate(db: DatabaseSync, schema: Schema): void {
  if (isCurrent(db, schema)) return;
  db.exec("begin immediate");
  try {
    // Read again: another process may have been quicker while this one waited for the lock.
    if (!isCurrent(db, schema)) {
      for (const step of schema.steps.slice(pragma(db, "user_version"))) {
        db.exec(step);
      }
      db.exec(`pragma application_id = ${schema.applicationId}`);
      db.exec(`pragma user_version = ${schema.steps.length}`);
    }
    db.exec("commit");
  } catch (error) {
    if (db.isTransaction) db.exec("rollback");
    throw error;
  }
}

function isCurrent(db: DatabaseSync, schema: Schema): boolean {
  const version = pragma(db, "user_version");
  const application = pragma(db, "application_id");
  const isOurs = application === schema.applicationId;
  const isEmpty = application === 0 && version === 0 &&
    db.prepare("select 1 from sqlite_schema").get() === undefined;
  if (!isOurs && !isEmpty) {
    throw new StoreError(
      `Cannot open the database: the file is not ${schema.holds}`,
      "ERR_STORE_NOT_A_DATABASE",
      "Check the path; move the file away if it is there by mistake.",
    );
  }
  if (version > schema.steps.length) {
    throw new StoreError(
      `Cannot open the database: its version is ${version}, this program knows up to ${schema.steps.length}`,
      "ERR_STORE_NEWER",
      "Use the version of the program that wrote it, or a later one.",
    );
  }
  return version === schema.steps.length;
}

function pragma(
  db: DatabaseSync,
  name: "application_id" | "user_version",
): number {
  return Number(db.prepare(`pragma ${name}`).get()?.[name]);
}
