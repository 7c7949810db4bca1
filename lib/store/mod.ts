/**
 * What survives a restart: what a server keeps (`ServerStore`) and what a client keeps (`Vault`).
 * A promise that resolved means that the change is on disk.
 *
 * The room knows nothing of what the bytes mean: it does not check certificates, derive keys from
 * passphrases or open letters. It reads no clock: callers say what time it is. It protects a vault
 * against being read and against records being altered or swapped, not against somebody who puts an
 * older copy of the whole file, or of single records, in place.
 *
 * @module
 */
export { SqliteServerStore } from "./sqlite_server_store.ts";
export { StoreError, WrongVaultKeyError } from "./store_error.ts";
export { Vault } from "./vault.ts";

export type {
  Account,
  AccountCreation,
  AccountStore,
  BlobRecord,
  BlobStore,
  BlobUsage,
  Invite,
  InviteStore,
  Letter,
  LetterAddition,
  LetterStore,
  LetterUsage,
  OneTimeKey,
  PassphraseRecord,
  PrekeyStore,
  ServerStore,
  StoredLetter,
} from "./server_store.ts";
export type { StoreErrorCode } from "./store_error.ts";
export type {
  ListOptions,
  VaultChange,
  VaultEntry,
  VaultRecord,
} from "./vault.ts";
