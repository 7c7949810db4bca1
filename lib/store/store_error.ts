/** What can go wrong with a store, for programs. */
export type StoreErrorCode =
  | "ERR_STORE_BUSY"
  | "ERR_STORE_CLOSED"
  | "ERR_STORE_DAMAGED"
  | "ERR_STORE_FAILED"
  | "ERR_STORE_FULL"
  | "ERR_STORE_NEWER"
  | "ERR_STORE_NO_ACCOUNT"
  | "ERR_STORE_NOT_A_DATABASE"
  | "ERR_STORE_UNREACHABLE";

/**
 * A store that could not do what it was asked. Nothing of the change that failed is kept. The
 * message names the action and what was seen, never content.
 */
export class StoreError extends Error {
  /** Of the class. */
  override readonly name = "StoreError";
  /** Stable, for programs. */
  readonly code: StoreErrorCode;
  /** What a person can do next, as one sentence. */
  readonly hint: string;

  /**
   * An error that says what was tried, what was seen and what to do.
   *
   * @param message "Cannot ACTION: WHAT WAS SEEN".
   * @param cause what was thrown underneath, if anything.
   */
  constructor(
    message: string,
    code: StoreErrorCode,
    hint: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** The key that was given to `Vault.open` is not the one that the vault was made with. */
export class WrongVaultKeyError extends Error {
  /** Of the class. */
  override readonly name = "WrongVaultKeyError";
  /** Stable, for programs. */
  readonly code = "ERR_WRONG_VAULT_KEY";
}
