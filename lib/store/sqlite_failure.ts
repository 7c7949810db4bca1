import { StoreError } from "./store_error.ts";
import type { StoreErrorCode } from "./store_error.ts";

interface Reason {
  /** SQLite's primary result code (sqlite.org/rescode.html), where there is one. */
  readonly result: number | undefined;
  /** `node:sqlite` gives the result code only for prepared statements, so its words are known too. */
  readonly words: RegExp;
  readonly seen: string;
  readonly code: StoreErrorCode;
  readonly hint: string;
}

/** What a person can do something about. */
const REASONS: readonly Reason[] = [
  {
    result: 13,
    words: /database or disk is full/,
    seen: "the disk is full",
    code: "ERR_STORE_FULL",
    hint: "Make room on the disk, then try again; nothing stored was lost.",
  },
  {
    result: 5,
    words: /database is locked/,
    seen: "another process holds the database",
    code: "ERR_STORE_BUSY",
    hint: "Wait for the other process that uses this file, or end it.",
  },
  {
    result: 26,
    words: /file is not a database/,
    seen: "the file is not a database",
    code: "ERR_STORE_NOT_A_DATABASE",
    hint: "Check the path; move the file away if it is there by mistake.",
  },
  {
    result: 11,
    words: /disk image is malformed/,
    seen: "the database is damaged",
    code: "ERR_STORE_DAMAGED",
    hint: "Restore the file from a backup, with its -wal file if there is one.",
  },
  {
    result: 14,
    words: /unable to open database file/,
    seen: "the file cannot be opened",
    code: "ERR_STORE_UNREACHABLE",
    hint: "Check that the folder exists and that you may write to it.",
  },
  {
    result: 8,
    words: /attempt to write a readonly database/,
    seen: "the file cannot be written",
    code: "ERR_STORE_UNREACHABLE",
    hint: "Check who owns the file and its folder, and their permissions.",
  },
  {
    result: undefined,
    words: /database is not open|statement has been finalized/,
    seen: "it is closed",
    code: "ERR_STORE_CLOSED",
    hint: "Open it again.",
  },
];

/**
 * What SQLite threw during `action` as a `StoreError`; a `StoreError` stays what it is. The words of
 * SQLite are kept as `cause` only, because they can quote what was stored.
 */
export function sqliteFailure(action: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const result = (cause as { errcode?: unknown } | null)?.errcode;
  // The upper bytes tell kinds of one result apart.
  const primary = typeof result === "number" ? result & 0xff : -1;
  const words = cause instanceof Error ? cause.message : "";
  const reason = REASONS.find((known) =>
    known.result === primary || known.words.test(words)
  );
  return new StoreError(
    `Cannot ${action}: ${reason?.seen ?? "the database refused"}`,
    reason?.code ?? "ERR_STORE_FAILED",
    reason?.hint ?? "Check the disk and the system's log, then try again.",
    cause,
  );
}

/** Whether `error` was thrown by SQLite itself. */
export function isSqliteError(error: unknown): boolean {
  return error instanceof Error &&
    (error as { code?: unknown }).code === "ERR_SQLITE_ERROR";
}
