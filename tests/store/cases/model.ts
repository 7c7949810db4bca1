import type { Bytes } from "../../../lib/protocol/mod.ts";
import type {
  Account,
  AccountCreation,
  Letter,
  LetterAddition,
  LetterUsage,
  OneTimeKey,
  StoredLetter,
} from "../../../lib/store/mod.ts";

interface ModelLetter extends Letter {
  readonly sequence: number;
  isWaiting: boolean;
}

interface ModelPrekeys {
  bundle: Bytes;
  highest: number;
  left: OneTimeKey[];
}

/** The simplest store there can be: lists that are searched from front to back. Synchronous. */
export class ModelStore {
  readonly #taken = new Set<string>();
  readonly #last = new Map<string, number>();
  readonly #prekeys = new Map<string, ModelPrekeys>();
  #accounts: Account[] = [];
  #letters: ModelLetter[] = [];
  #invites: { hash: string; uses: number; expiresAt: number }[] = [];

  create(account: Account, inviteHash: Bytes | null): AccountCreation {
    if (this.#taken.has(account.address)) return "address-taken";
    const id = account.certificateId.toHex();
    if (this.#accounts.some((each) => each.certificateId.toHex() === id)) {
      return "certificate-taken";
    }
    if (inviteHash !== null) {
      const invite = this.#invites.find((each) =>
        each.hash === inviteHash.toHex() && each.uses > 0 &&
        each.expiresAt > account.createdAt
      );
      if (invite === undefined) return "invite-invalid";
      invite.uses--;
    }
    this.#taken.add(account.address);
    this.#accounts.push(account);
    return "created";
  }

  byAddress(address: string): Account | undefined {
    return this.#accounts.find((each) => each.address === address);
  }

  delete(address: string): void {
    if (this.byAddress(address) === undefined) return;
    this.#accounts = this.#accounts.filter((each) => each.address !== address);
    this.#prekeys.delete(address);
    this.#letters = this.#letters.filter((each) =>
      each.sender !== address && each.recipient !== address
    );
  }

  count(): number {
    return this.#accounts.length;
  }

  invite(hash: Bytes, uses: number, expiresAt: number): void {
    this.#invites = this.#invites.filter((each) => each.hash !== hash.toHex());
    this.#invites.push({ hash: hash.toHex(), uses, expiresAt });
  }

  invites(): { hash: string; uses: number }[] {
    return this.#invites.filter((each) => each.uses > 0)
      .map(({ hash, uses }) => ({ hash, uses }))
      .toSorted((a, b) => a.hash < b.hash ? -1 : 1);
  }

  /** @returns undefined where the store throws. */
  publish(
    address: string,
    bundle: Bytes,
    oneTime: readonly OneTimeKey[],
    replace: boolean,
  ): number | undefined {
    if (this.byAddress(address) === undefined) return undefined;
    const before = replace ? undefined : this.#prekeys.get(address);
    const fresh = oneTime.filter(({ id }) => id > (before?.highest ?? -1));
    const left = [...before?.left ?? [], ...fresh];
    const highest = Math.max(
      before?.highest ?? -1,
      ...fresh.map(({ id }) => id),
    );
    this.#prekeys.set(address, { bundle, highest, left });
    return left.length;
  }

  takeOneTime(address: string): OneTimeKey | undefined {
    const prekeys = this.#prekeys.get(address);
    prekeys?.left.sort((a, b) => a.id - b.id);
    return prekeys?.left.shift();
  }

  left(address: string): number {
    return this.#prekeys.get(address)?.left.length ?? 0;
  }

  /** @param sequence that the store gave; 0 if it gave none. */
  add(letter: Letter, quota: LetterUsage, sequence: number): LetterAddition {
    if (this.byAddress(letter.recipient) === undefined) {
      return { outcome: "unknown-recipient", sequence: 0 };
    }
    const earlier = this.#letters.find((each) =>
      each.sender === letter.sender && each.recipient === letter.recipient &&
      each.letterId.toHex() === letter.letterId.toHex()
    );
    if (earlier !== undefined) {
      return { outcome: "duplicate", sequence: earlier.sequence };
    }
    const usage = this.usage(letter.recipient);
    if (
      usage.letters >= quota.letters ||
      usage.bytes + letter.body.length > quota.bytes
    ) return { outcome: "quota", sequence: 0 };
    if (sequence <= (this.#last.get(letter.recipient) ?? 0)) {
      throw new Error(`${sequence} does not rise`);
    }
    this.#last.set(letter.recipient, sequence);
    this.#letters.push({ ...letter, sequence, isWaiting: true });
    return { outcome: "stored", sequence };
  }

  pending(recipient: string, after: number, limit: number): StoredLetter[] {
    return this.#waiting(recipient)
      .filter((each) => each.sequence > after)
      .slice(0, limit)
      .map(({ sequence, sender, letterId, body, storedAt }) => ({
        sequence,
        sender,
        letterId,
        body,
        storedAt,
      }));
  }

  acknowledge(recipient: string, sequences: readonly number[]): number {
    const found = this.#waiting(recipient)
      .filter((each) => sequences.includes(each.sequence));
    for (const letter of found) letter.isWaiting = false;
    return found.length;
  }

  expire(now: number): number {
    const gone = this.#letters.filter((each) => each.expiresAt <= now);
    this.#letters = this.#letters.filter((each) => each.expiresAt > now);
    return gone.filter((each) => each.isWaiting).length;
  }

  usage(recipient: string): LetterUsage {
    const waiting = this.#waiting(recipient);
    return {
      letters: waiting.length,
      bytes: waiting.reduce((sum, each) => sum + each.body.length, 0),
    };
  }

  #waiting(recipient: string): ModelLetter[] {
    return this.#letters.filter((each) =>
      each.isWaiting && each.recipient === recipient
    );
  }
}
