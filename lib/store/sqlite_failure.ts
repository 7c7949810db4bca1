import { StoreError } from "./store_error.ts";
import type { StoreErrorCode } from "./store_error.ts";

interface Reason {
  readonly primaryCode: number;
  readonly text: string;
  readonly seen: string;
  readonly code: StoreErrorCode;
  readonly hint: string;
}

/**
 * SQLite's primary result codes (sqlite.org/rescode.html) that a person can do something about.
 * `node:sqlite` gives the number only for prepared statements, so the text is known too.
 */
const REASONS: readonly Reason[] = [
  {
    primaryCode: 13,
    text: "database or disk is full",
    seen: "the disk is full",
    code: "ERR_STORE_FULL",
    hint: "Make room on the disk, then try again; nothing stored was lost.",
  },
  {
    primaryCode: 5,
    text: "database is locked",
    seen: "another process holds the database",
    code: "ERR_STORE_BUSY",
    hint: "Wait for the other process that uses this file, or end it.",
  },
  {
    primaryCode: 26,
    text: "file is not a database",
    seen: "the file is not a database",
    code: "ERR_STORE_NOT_A_DATABASE",
    hint: "Check the path; move the file away if it is there by mistake.",
  },
  {
    primaryCode: 11,
    text: "disk image is malformed",
    seen: "the database is damaged",
    code: "ERR_STORE_DAMAGED",
    hint: "Restore the file from a backup, with its -wal file if there is one.",
  },
  {
    primaryCode: 14,
    text: "unable to open database file",
    seen: "the file cannot be opened",
    code: "ERR_STORE_UNREACHABLE",
    hint: "Check that the folder exists and that you may write to it.",
  },
  {
    primaryCode: 8,
    text: "attempt to write a readonly database",
    seen: "the file cannot be written",
    code: "ERR_STORE_UNREACHABLE",
    hint: "Check who owns the file and its folder, and their permissions.",
  },
];

/**
 * What SQLite threw during `action` as a `StoreError`; a `StoreError` stays what it is. The words of
 * SQLite are kept as `cause` only, because they can quote what was stored.
 */
export function sqliteFailure(action: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const number = (cause as { errcode?: unknown } | null)?.errcode;
  const primary = typeof number === "number" ? number & 0xff : undefined;
  const words = cause instanceof Error ? cause.message : "";
  const reason = REASONS.find((known) =>
    known.primaryCode === primary || words.includes(known.text)
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
