import type { DatabaseSync } from "node:sqlite";
import {
  AEAD_NONCE_BYTES,
  concat,
  CryptoError,
  open,
  randomBytes,
  seal,
  utf8,
  Writer,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { query } from "./query.ts";
import { StoreError, WrongVaultKeyError } from "./store_error.ts";

const VAULT_ID_BYTES = 16;
const BLIND_KEY_BYTES = 32;
const SECRETS_LABEL = utf8("sotto vault secrets 1");
const RECORD_LABEL = utf8("sotto vault record 1");

/**
 * Seals and opens the records of one vault: nonce (12 bytes, random) ‖ ciphertext ‖ tag (16 bytes).
 * The associated data name the vault, the kind, the key and the version, each behind its length, so
 * that a sealed record opens in its own place only.
 */
export class RecordSealer {
  readonly #key: CryptoKey;
  readonly #vaultId: Bytes;
  /** Key of the names that stand for private ones, 32 bytes. */
  readonly blindKey: Bytes;

  private constructor(key: CryptoKey, secrets: Bytes) {
    this.#key = key;
    this.#vaultId = secrets.slice(0, VAULT_ID_BYTES);
    this.blindKey = secrets.slice(VAULT_ID_BYTES);
  }

  /**
   * Reads the vault's secrets, or makes them if there are none yet.
   *
   * @throws {WrongVaultKeyError} if `key` does not open them.
   * @throws {StoreError} `ERR_STORE_DAMAGED` if there are records but no secrets.
   */
  static async open(db: DatabaseSync, key: CryptoKey): Promise<RecordSealer> {
    let sealed = readSecrets(db);
    if (sealed === undefined) {
      const fresh = randomBytes(VAULT_ID_BYTES + BLIND_KEY_BYTES);
      insertSecrets(db, await sealWithNonce(key, fresh, SECRETS_LABEL));
      // Not `fresh`: another process may have been quicker.
      sealed = readSecrets(db);
    }
    if (sealed === undefined) {
      throw damaged("Cannot open the vault: its secrets are missing");
    }
    try {
      return new RecordSealer(
        key,
        await openWithNonce(key, sealed, SECRETS_LABEL),
      );
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause;
      throw new WrongVaultKeyError("Cannot open the vault: wrong key", {
        cause,
      });
    }
  }

  seal(
    kind: string,
    key: string,
    version: number,
    body: Bytes,
  ): Promise<Bytes> {
    return sealWithNonce(this.#key, body, this.#place(kind, key, version));
  }

  /** @throws {StoreError} `ERR_STORE_DAMAGED` if the record is not what was sealed in this place. */
  async open(
    kind: string,
    key: string,
    version: number,
    sealed: Bytes,
  ): Promise<Bytes> {
    try {
      return await openWithNonce(
        this.#key,
        sealed,
        this.#place(kind, key, version),
      );
    } catch (cause) {
      // A version out of range was not written by us either.
      if (!(cause instanceof CryptoError || cause instanceof RangeError)) {
        throw cause;
      }
      throw damaged("Cannot open a record of the vault: it was altered", cause);
    }
  }

  #place(kind: string, key: string, version: number): Bytes {
    return new Writer()
      .bytes(RECORD_LABEL)
      .bytes(this.#vaultId)
      .prefixed(2, utf8(kind))
      .prefixed(2, utf8(key))
      .u64(BigInt(version))
      .done();
  }
}

function damaged(message: string, cause?: unknown): StoreError {
  return new StoreError(
    message,
    "ERR_STORE_DAMAGED",
    "Restore the file from a backup, and look into who can write to it.",
    cause,
  );
}

function readSecrets(db: DatabaseSync): Bytes | undefined {
  return query(
    "read the vault",
    () =>
      db.prepare("select sealed from secrets").get()?.sealed as
        | Bytes
        | undefined,
  );
}

function insertSecrets(db: DatabaseSync, sealed: Bytes): void {
  query("make the vault", () =>
    // Where there are records there have been secrets: new ones would only hide the loss.
    db.prepare(
      `insert into secrets (id, sealed)
       select 1, ? where not exists (select 1 from records)
       on conflict do nothing`,
    ).run(sealed));
}

async function sealWithNonce(
  key: CryptoKey,
  plaintext: Bytes,
  associated: Bytes,
): Promise<Bytes> {
  const nonce = randomBytes(AEAD_NONCE_BYTES);
  return concat(nonce, await seal(key, nonce, plaintext, associated));
}

function openWithNonce(
  key: CryptoKey,
  sealed: Bytes,
  associated: Bytes,
): Promise<Bytes> {
  return open(
    key,
    sealed.slice(0, AEAD_NONCE_BYTES),
    sealed.slice(AEAD_NONCE_BYTES),
    associated,
  );
}
