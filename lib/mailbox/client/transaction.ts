import type { Bytes } from "../../protocol/mod.ts";
import type { Vault, VaultChange } from "../../store/mod.ts";

/** How often a piece of work is begun again because another process was quicker. */
const ATTEMPTS = 50;

/** How records of one kind are named and written. */
export interface RecordKind<T> {
  readonly kind: string;
  encode(value: T): Bytes;
  /** @throws {MalformedError} if the bytes are not its output. */
  decode(bytes: Bytes): T;
}

/** Reads and writes of a piece of work that takes effect as a whole or not at all. */
export class Transaction {
  readonly #vault: Vault;
  readonly #changes = new Map<
    string,
    {
      kind: string;
      key: string;
      expect: number;
      body: Bytes | null | undefined;
    }
  >();
  readonly #values = new Map<string, unknown>();

  constructor(vault: Vault) {
    this.#vault = vault;
  }

  /** The record as this transaction sees it: with its own writes. */
  async read<T>(kind: RecordKind<T>, key: string): Promise<T | undefined> {
    const name = `${kind.kind} ${key}`;
    if (!this.#changes.has(name)) {
      const record = await this.#vault.get(kind.kind, key);
      this.#changes.set(name, {
        kind: kind.kind,
        key,
        expect: record?.version ?? 0,
        body: undefined,
      });
      this.#values.set(
        name,
        record === undefined || record.body.length === 0
          ? undefined
          : kind.decode(record.body),
      );
    }
    return this.#values.get(name) as T | undefined;
  }

  /** Sets a record that was read before, or that cannot exist yet. */
  write<T>(kind: RecordKind<T>, key: string, value: T): void {
    this.#set(kind.kind, key, kind.encode(value));
    this.#values.set(`${kind.kind} ${key}`, value);
  }

  /** Deletes a record that was read before. */
  remove(kind: RecordKind<unknown>, key: string): void {
    this.#set(kind.kind, key, null);
    this.#values.set(`${kind.kind} ${key}`, undefined);
  }

  /**
   * Writes everything, unless a record that was read has changed since.
   *
   * @returns whether it was written.
   */
  commit(): Promise<boolean> {
    const changes: VaultChange[] = [];
    for (const { kind, key, expect, body } of this.#changes.values()) {
      // A deletion of what never was would be refused as a conflict for ever.
      if (body === undefined || (body === null && expect === 0)) continue;
      changes.push({ kind, key, expect, body });
    }
    return changes.length === 0
      ? Promise.resolve(true)
      : this.#vault.commit(changes);
  }

  #set(kind: string, key: string, body: Bytes | null): void {
    const name = `${kind} ${key}`;
    const expect = this.#changes.get(name)?.expect ?? 0;
    this.#changes.set(name, { kind, key, expect, body });
  }
}

/** Does `work` in a transaction, again from its beginning if another process came in between. */
export async function transact<T>(
  vault: Vault,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const transaction = new Transaction(vault);
    const result = await work(transaction);
    if (await transaction.commit()) return result;
  }
  throw new Error("Cannot save: another process changes the same records");
}
