import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes } from "../../protocol/mod.ts";
import type { GroupCommit } from "../group_commit.ts";
import { queryLater } from "../query.ts";
import type {
  Account,
  AccountCreation,
  AccountStore,
  PassphraseRecord,
} from "../server_store.ts";
import type { SqliteLetters } from "./letters.ts";
import { noAccount } from "./no_account.ts";
import type { SqliteNames } from "./names.ts";

const READ = "read accounts";

/** Accounts in SQLite. */
export class SqliteAccounts implements AccountStore {
  readonly #sql: Statements;
  readonly #writer: GroupCommit;
  readonly #names: SqliteNames;
  readonly #letters: SqliteLetters;

  constructor(
    db: DatabaseSync,
    writer: GroupCommit,
    names: SqliteNames,
    letters: SqliteLetters,
  ) {
    this.#sql = prepare(db);
    this.#writer = writer;
    this.#names = names;
    this.#letters = letters;
  }

  create(
    account: Account,
    inviteHash: Bytes | null,
  ): Promise<AccountCreation> {
    const sql = this.#sql;
    return this.#writer.write(() => {
      const { address, certificateId, createdAt } = account;
      if (sql.isTaken.get(address) !== undefined) return "address-taken";
      if (sql.hasCertificate.get(certificateId) !== undefined) {
        return "certificate-taken";
      }
      if (inviteHash !== null) {
        if (sql.useInvite.run(inviteHash, createdAt).changes === 0) {
          return "invite-invalid";
        }
        sql.dropUsedInvite.run(inviteHash);
      }
      this.#insert(account);
      return "created";
    });
  }

  byAddress(address: string): Promise<Account | undefined> {
    return queryLater(READ, () => toAccount(this.#sql.byAddress.get(address)));
  }

  byCertificateId(certificateId: Bytes): Promise<Account | undefined> {
    return queryLater(
      READ,
      () => toAccount(this.#sql.byCertificateId.get(certificateId)),
    );
  }

  changePassphrase(address: string, record: PassphraseRecord): Promise<void> {
    return this.#writer.write(() => {
      const { changes } = this.#sql.changePassphrase.run(
        address,
        record.authSalt,
        record.authHash,
        record.kdfSalt,
        record.kdfMemoryKiB,
        record.kdfPasses,
        record.wrappedKeys,
      );
      if (changes === 0) throw noAccount("change the passphrase");
    });
  }

  setDevice(address: string, device: Bytes): Promise<void> {
    return this.#writer.write(() => {
      const { changes } = this.#sql.setDevice.run(address, device);
      if (changes === 0) throw noAccount("set the device");
    });
  }

  async delete(address: string): Promise<void> {
    const id = this.#names.find(address);
    if (id === undefined) return;
    await this.#writer.write(() => {
      if (this.#sql.delete.run(id).changes === 0) return;
      this.#letters.deleteOf(id);
      this.#sql.deleteBlobs.run(address);
    });
  }

  count(): Promise<number> {
    return queryLater(READ, () => this.#sql.count.get()!.count as number);
  }

  #insert(account: Account): void {
    const id = this.#names.intern(account.address);
    this.#sql.take.run(id);
    this.#sql.add.run(
      id,
      account.kind === "interactive" ? 1 : 0,
      account.certificateId,
      account.certificate,
      account.authSalt,
      account.authHash,
      account.kdfSalt,
      account.kdfMemoryKiB,
      account.kdfPasses,
      account.wrappedKeys,
      account.usrPublic,
      account.usrPrivateWrapped,
      account.device,
      account.createdAt,
    );
    this.#sql.addBox.run(id);
  }
}

function toAccount(
  row: Record<string, unknown> | undefined,
): Account | undefined {
  if (row === undefined) return undefined;
  return {
    address: row.address as string,
    kind: row.interactive === 1 ? "interactive" : "non-interactive",
    certificate: row.certificate as Bytes,
    certificateId: row.certificate_id as Bytes,
    authSalt: row.auth_salt as Bytes | null,
    authHash: row.auth_hash as Bytes | null,
    kdfSalt: row.kdf_salt as Bytes | null,
    kdfMemoryKiB: row.kdf_memory_kib as number | null,
    kdfPasses: row.kdf_passes as number | null,
    wrappedKeys: row.wrapped_keys as Bytes | null,
    usrPublic: row.usr_public as Bytes,
    usrPrivateWrapped: row.usr_private_wrapped as Bytes,
    device: row.device as Bytes | null,
    createdAt: row.created_at as number,
  };
}

type Statements = Record<
  | "add"
  | "addBox"
  | "byAddress"
  | "byCertificateId"
  | "changePassphrase"
  | "count"
  | "delete"
  | "deleteBlobs"
  | "dropUsedInvite"
  | "hasCertificate"
  | "isTaken"
  | "setDevice"
  | "take"
  | "useInvite",
  StatementSync
>;

function prepare(db: DatabaseSync): Statements {
  const select =
    "select accounts.*, address from accounts join names using (id)";
  const byAddress = "id = (select id from names where address = ?1)";
  return {
    isTaken: db.prepare(
      "select 1 from names where address = ? and taken = 1",
    ),
    take: db.prepare("update names set taken = 1 where id = ?"),
    hasCertificate: db.prepare(
      "select 1 from accounts where certificate_id = ?",
    ),
    useInvite: db.prepare(
      "update invites set uses = uses - 1 where hash = ? and expires_at > ?",
    ),
    dropUsedInvite: db.prepare(
      "delete from invites where hash = ? and uses = 0",
    ),
    add: db.prepare(
      `insert into accounts (id, interactive, certificate_id, certificate,
         auth_salt, auth_hash, kdf_salt, kdf_memory_kib, kdf_passes,
         wrapped_keys, usr_public, usr_private_wrapped, device, created_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    addBox: db.prepare("insert into boxes (account) values (?)"),
    byAddress: db.prepare(`${select} where ${byAddress}`),
    byCertificateId: db.prepare(`${select} where certificate_id = ?`),
    changePassphrase: db.prepare(
      `update accounts set auth_salt = ?2, auth_hash = ?3, kdf_salt = ?4,
         kdf_memory_kib = ?5, kdf_passes = ?6, wrapped_keys = ?7
       where ${byAddress}`,
    ),
    setDevice: db.prepare(
      `update accounts set device = ?2 where ${byAddress}`,
    ),
    delete: db.prepare("delete from accounts where id = ?"),
    deleteBlobs: db.prepare("delete from blobs where owner = ?"),
    count: db.prepare("select count(*) as count from accounts"),
  };
}
