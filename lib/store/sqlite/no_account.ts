import { StoreError } from "../store_error.ts";

/** The error of a change to an account that is not there, or no longer. */
export function noAccount(action: string): StoreError {
  return new StoreError(
    `Cannot ${action}: there is no such account`,
    "ERR_STORE_NO_ACCOUNT",
    "Check the address; the account may have been deleted.",
  );
}
