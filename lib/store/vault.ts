import type { DatabaseSync, StatementSync } from "node:sqlite";
import { hmacSha256, utf8 } from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { openDatabase } from "./database.ts";
import { GroupCommit } from "./group_commit.ts";
import { writePrivate } from "./private_file.ts";
import { query } from "./query.ts";
import { RecordSealer } from "./record_sealer.ts";
import { VAULT_SCHEMA } from "./vault_schema.ts";

/** Blinded names that are remembered, to save the hash. */
const BLINDED_LIMIT = 10_000;

const READ = "read the vault";

/** A record of a vault, opened. */
export interface VaultRecord {
  /** 1 when it was made, one more with every change. */
  readonly version: number;
  /** What it holds. */
  readonly body: Bytes;
}

/** A record in a list. */
export interface VaultEntry extends VaultRecord {
  /** Its name within its kind. */
  readonly key: string;
}

/** Which records to list, and how. Keys are ordered by their UTF-8 bytes. */
export interface ListOptions {
  /** Only keys that begin so. */
  readonly prefix?: string;
  /** Only keys that come after this one, in the order of the list. */
  readonly after?: string;
  /** At most so many. */
  readonly limit?: number;
  /** From the last key to the first. */
  readonly reverse?: boolean;
}

/** One change of a record. */
export interface VaultChange {
  /** Which sort of record, at most 65,535 bytes in UTF-8, as the key. */
  readonly kind: string;
  /** Its name within its kind. */
  readonly key: string;
  /** The version that it must have now; 0: there must be none. The new version is one higher. */
  readonly expect: number;
  /** What it holds from now on; null deletes it. */
  readonly body: Bytes | null;
}

/**
 * What a client keeps: records by kind and key, each with a version, sealed with AES-256-GCM. Several
 * processes may have the same file open; `commit` is how they do not overwrite each other's work.
 *
 * A record is bound to its vault, kind, key and version, so that none passes for another. Kinds, keys,
 * versions and lengths are in the clear: give `blind(name)` as key where a name is private. Not
 * protected: somebody who can write the file can delete records, or put back older ones.
 *
 * A version says nothing across a deletion: a record that is made again starts at 1. Where processes
 * compete for a record, overwrite it rather than delete it.
 */
export class Vault {
  readonly #db: DatabaseSync;
  readonly #writer: GroupCommit;
  readonly #sealer: RecordSealer;
  readonly #blinded = new Map<string, string>();
  readonly #get: StatementSync;
  readonly #version: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #dataVersion: StatementSync;

  private constructor(db: DatabaseSync, sealer: RecordSealer) {
    this.#db = db;
    this.#writer = new GroupCommit(db);
    this.#sealer = sealer;
    this.#get = db.prepare(
      "select version, body from records where kind = ? and key = ?",
    );
    this.#version = db.prepare(
      "select version from records where kind = ? and key = ?",
    );
    this.#put = db.prepare(
      `insert into records (kind, key, version, body) values (?, ?, ?, ?)
       on conflict do update set version = excluded.version, body = excluded.body`,
    );
    this.#delete = db.prepare(
      "delete from records where kind = ? and key = ?",
    );
    this.#dataVersion = db.prepare("pragma data_version");
  }

  /**
   * Opens the vault at `path`, or makes it, readable by its owner only.
   *
   * @param key AES-256-GCM, for sealing and opening; at most 2^32 records may be written under it
   * (NIST SP 800-38D §8.3, random nonces).
   * @throws {WrongVaultKeyError} if the vault was made with another key.
   * @throws {StoreError} if the file is no vault, cannot be opened or is from a newer version.
   */
  static async open(path: string, key: CryptoKey): Promise<Vault> {
    const db = openDatabase(path, VAULT_SCHEMA);
    try {
      const sealer = await RecordSealer.open(db, key);
      return query("open the vault", () => new Vault(db, sealer));
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /**
   * The record of this kind and key, if there is one.
   *
   * @throws {StoreError} `ERR_STORE_DAMAGED` if it was altered.
   */
  async get(kind: string, key: string): Promise<VaultRecord | undefined> {
    const row = query(READ, () => this.#get.get(kind, key));
    if (row === undefined) return undefined;
    const version = row.version as number;
    const sealed = row.body as Bytes;
    return {
      version,
      body: await this.#sealer.open(kind, key, version, sealed),
    };
  }

  /**
   * The records of a kind as they were at one moment.
   *
   * @throws {StoreError} `ERR_STORE_DAMAGED` if one of them was altered.
   */
  async list(kind: string, options: ListOptions = {}): Promise<VaultEntry[]> {
    const { prefix = "", after, limit = -1, reverse = false } = options;
    const conditions = [
      "kind = ?",
      "key >= ?",
      // Behind every key with this prefix: no UTF-8 text holds the byte 0xff.
      "key < ? || cast(x'ff' as text)",
    ];
    const values: (string | number)[] = [kind, prefix, prefix];
    if (after !== undefined) {
      conditions.push(reverse ? "key < ?" : "key > ?");
      values.push(after);
    }
    const rows = query(READ, () =>
      this.#db.prepare(
        `select key, version, body from records where ${
          conditions.join(" and ")
        } order by key ${reverse ? "desc" : "asc"} limit ?`,
      ).all(...values, limit));
    return await Promise.all(rows.map(async (row) => {
      const key = row.key as string;
      const version = row.version as number;
      const sealed = row.body as Bytes;
      const body = await this.#sealer.open(kind, key, version, sealed);
      return { key, version, body };
    }));
  }

  /**
   * Makes all `changes`, or none if any record has another version than expected.
   *
   * @returns whether they were made; if so, they are on disk.
   * @throws {StoreError} if they could not be written; then none was made.
   * @throws {RangeError} if two changes are of one record, `expect` is no version, or a kind or key is
   * too long.
   */
  async commit(changes: readonly VaultChange[]): Promise<boolean> {
    check(changes);
    const sealed = await Promise.all(changes.map(async (change) => ({
      ...change,
      body: change.body === null ? null : await this.#sealer.seal(
        change.kind,
        change.key,
        change.expect + 1,
        change.body,
      ),
    })));
    return await this.#writer.write(() => this.#apply(sealed));
  }

  /**
   * A name that stands for `text` in keys: 64 hexadecimal digits, the HMAC-SHA-256 of it under a key
   * that only this vault has.
   */
  async blind(text: string): Promise<string> {
    const known = this.#blinded.get(text);
    if (known !== undefined) return known;
    const hash = await hmacSha256(this.#sealer.blindKey, utf8(text));
    const name = hash.toHex();
    if (this.#blinded.size >= BLINDED_LIMIT) this.#blinded.clear();
    this.#blinded.set(text, name);
    return name;
  }

  /** A number that changes when another process, or another `Vault`, has changed the file. Cheap. */
  dataVersion(): number {
    return query(READ, () => this.#dataVersion.get()!.data_version as number);
  }

  /**
   * Writes a copy of the vault as it is on disk now to `path`, readable by its owner only. The copy has
   * the same key. (Not by `vacuum into`, which Deno allows only to a program that may do everything.)
   *
   * @throws {StoreError} if there is a file that is not empty, or it cannot be written.
   */
  copyTo(path: string): void {
    query("copy the vault", () => writePrivate(path, this.#db.serialize()));
  }

  /** Writes what is queued and lets go of the file. Idempotent. */
  close(): void {
    if (!this.#db.isOpen) return;
    this.#writer.close();
    this.#db.close();
  }

  /** Only checks and then changes, so that a refusal has nothing to undo. */
  #apply(changes: readonly VaultChange[]): boolean {
    for (const { kind, key, expect } of changes) {
      const version = this.#version.get(kind, key)?.version ?? 0;
      if (version !== expect) return false;
    }
    for (const { kind, key, expect, body } of changes) {
      if (body === null) this.#delete.run(kind, key);
      else this.#put.run(kind, key, expect + 1, body);
    }
    return true;
  }
}

function check(changes: readonly VaultChange[]): void {
  const seen = new Set<string>();
  for (const { kind, key, expect } of changes) {
    if (!Number.isSafeInteger(expect) || expect < 0) {
      throw new RangeError(`Cannot commit: ${expect} is not a version`);
    }
    const name = JSON.stringify([kind, key]);
    if (seen.has(name)) {
      throw new RangeError("Cannot commit: two changes of one record");
    }
    seen.add(name);
  }
}
