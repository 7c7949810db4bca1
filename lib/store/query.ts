import { sqliteFailure } from "./sqlite_failure.ts";

/**
 * What `body` gives, which asks the database.
 *
 * @param action for the message of the error, such as "read the vault".
 * @throws {StoreError} in place of what SQLite throws.
 */
export function query<T>(action: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw sqliteFailure(action, error);
  }
}

/** As `query`, with the error as a rejection: for the methods of an asynchronous interface. */
export function queryLater<T>(action: string, body: () => T): Promise<T> {
  return new Promise((resolve) => resolve(query(action, body)));
}
