import { DatabaseSync } from "node:sqlite";
import { migrate } from "./migrations.ts";
import type { Schema } from "./migrations.ts";
import { createPrivate } from "./private_file.ts";
import { sqliteFailure } from "./sqlite_failure.ts";

/** How long a process waits for another one that is writing, in milliseconds. */
const BUSY_MS = 5_000;

/**
 * Write-ahead log, so that readers do not wait for the writer; `synchronous = full`, so that a commit
 * is on disk when it returns; deleted content is overwritten where that costs no further writing.
 */
const PRAGMAS = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma foreign_keys = on;
  pragma secure_delete = fast;
  pragma temp_store = memory;
  pragma journal_size_limit = 67108864;
`;

/**
 * Opens the database at `path`, or makes it, readable by its owner only, and brings it to the newest
 * version. `":memory:"` gives one that ends with the process.
 *
 * @throws {StoreError} if the file cannot be opened, is no such database, or is from a newer version.
 */
export function openDatabase(path: string, schema: Schema): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    if (path !== ":memory:") createPrivate(path);
    db = new DatabaseSync(path, { timeout: BUSY_MS });
    // First, because it leaves a file alone that is of something else.
    migrate(db, schema);
    db.exec(PRAGMAS);
    return db;
  } catch (error) {
    db?.close();
    throw sqliteFailure("open the database", error);
  }
}
