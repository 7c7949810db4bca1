import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes } from "../../protocol/mod.ts";
import type { GroupCommit } from "../group_commit.ts";
import { queryLater } from "../query.ts";
import type { BlobRecord, BlobStore, BlobUsage } from "../server_store.ts";

/** What is known of blobs, in SQLite. */
export class SqliteBlobs implements BlobStore {
  readonly #sql: Statements;
  readonly #writer: GroupCommit;

  constructor(db: DatabaseSync, writer: GroupCommit) {
    this.#sql = prepare(db);
    this.#writer = writer;
  }

  reserve(
    blob: BlobRecord,
    quota: { readonly owner: BlobUsage; readonly total: BlobUsage },
  ): Promise<"reserved" | "exists" | "other" | "quota"> {
    return this.#writer.write(() => {
      const there = this.#byId(blob.id);
      if (there !== undefined) return isSame(there, blob) ? "exists" : "other";
      const fits = (usage: BlobUsage, most: BlobUsage) =>
        usage.blobs < most.blobs && usage.bytes + blob.size <= most.bytes;
      const owner = usageOf(this.#sql.ofOwner.get(blob.owner));
      const total = usageOf(this.#sql.ofAll.get());
      if (!fits(owner, quota.owner) || !fits(total, quota.total)) {
        return "quota";
      }
      this.#sql.add.run(
        blob.id,
        blob.writer,
        blob.owner,
        blob.header,
        blob.size,
        blob.downloads,
        blob.expiresAt,
      );
      return "reserved";
    });
  }

  byId(id: Bytes): Promise<BlobRecord | undefined> {
    return queryLater("read blobs", () => this.#byId(id));
  }

  claim(id: Bytes, reader: Bytes): Promise<boolean> {
    return this.#writer.write(() => {
      const blob = this.#byId(id);
      if (blob === undefined) return false;
      if (this.#sql.reader.get(id, reader) !== undefined) return true;
      if (Number(this.#sql.readers.get(id)?.count) >= blob.downloads) {
        return false;
      }
      this.#sql.addReader.run(id, reader);
      return true;
    });
  }

  fetched(id: Bytes, reader: Bytes): Promise<boolean> {
    return this.#writer.write(() => {
      const blob = this.#byId(id);
      if (blob === undefined) return false;
      this.#sql.markFetched.run(id, reader);
      const done = Number(this.#sql.fetched.get(id)?.count);
      return done >= blob.downloads && this.#remove(id);
    });
  }

  remove(id: Bytes): Promise<boolean> {
    return this.#writer.write(() => this.#remove(id));
  }

  expire(now: number): Promise<number> {
    return this.#writer.write(() => Number(this.#sql.expire.run(now).changes));
  }

  ids(): Promise<Bytes[]> {
    return queryLater(
      "read blobs",
      () => this.#sql.ids.all().map(({ id }) => id as Bytes),
    );
  }

  usage(owner?: string): Promise<BlobUsage> {
    return queryLater("read blobs", () =>
      usageOf(
        owner === undefined
          ? this.#sql.ofAll.get()
          : this.#sql.ofOwner.get(owner),
      ));
  }

  #byId(id: Bytes): BlobRecord | undefined {
    const row = this.#sql.byId.get(id);
    if (row === undefined) return undefined;
    return {
      id: row.id as Bytes,
      writer: row.writer as Bytes,
      owner: row.owner as string,
      header: row.header as Bytes,
      size: row.size as number,
      downloads: row.downloads as number,
      expiresAt: row.expires_at as number,
    };
  }

  #remove(id: Bytes): boolean {
    return this.#sql.remove.run(id).changes === 1;
  }
}

function isSame(a: BlobRecord, b: BlobRecord): boolean {
  return a.owner === b.owner && a.size === b.size &&
    a.downloads === b.downloads && a.writer.toHex() === b.writer.toHex() &&
    a.header.toHex() === b.header.toHex();
}

function usageOf(row: Record<string, unknown> | undefined): BlobUsage {
  return { blobs: Number(row?.blobs ?? 0), bytes: Number(row?.bytes ?? 0) };
}

type Statements = Record<
  | "add"
  | "addReader"
  | "byId"
  | "expire"
  | "fetched"
  | "ids"
  | "markFetched"
  | "ofAll"
  | "ofOwner"
  | "reader"
  | "readers"
  | "remove",
  StatementSync
>;

function prepare(db: DatabaseSync): Statements {
  return {
    add: db.prepare(
      `insert into blobs (id, writer, owner, header, size, downloads, expires_at)
       values (?, ?, ?, ?, ?, ?, ?)`,
    ),
    byId: db.prepare(
      `select id, writer, owner, header, size, downloads, expires_at
       from blobs where id = ?`,
    ),
    ids: db.prepare("select id from blobs"),
    ofOwner: db.prepare(
      `select count(*) as blobs, coalesce(sum(size), 0) as bytes
       from blobs where owner = ?`,
    ),
    ofAll: db.prepare(
      "select count(*) as blobs, coalesce(sum(size), 0) as bytes from blobs",
    ),
    reader: db.prepare(
      "select 1 from blob_readers where blob = ? and reader = ?",
    ),
    readers: db.prepare(
      "select count(*) as count from blob_readers where blob = ?",
    ),
    addReader: db.prepare(
      "insert into blob_readers (blob, reader) values (?, ?)",
    ),
    markFetched: db.prepare(
      "update blob_readers set fetched = 1 where blob = ? and reader = ?",
    ),
    fetched: db.prepare(
      "select count(*) as count from blob_readers where blob = ? and fetched = 1",
    ),
    remove: db.prepare("delete from blobs where id = ?"),
    expire: db.prepare("delete from blobs where expires_at <= ?"),
  };
}
