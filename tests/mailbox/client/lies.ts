import type {
  Account,
  Letter,
  LetterAddition,
  LetterUsage,
  OneTimeKey,
  ServerStore,
  StoredLetter,
} from "../../../lib/store/mod.ts";
import { mailboxServer } from "../raw_mailbox.ts";
import type { MailboxServer, MailboxServerOptions } from "../raw_mailbox.ts";

/** What a server may say in place of the truth, which it is given. */
export interface Lies {
  account?(truth: Account | undefined): Account | undefined;
  bundle?(truth: ServerStore["prekeys"], address: string): ReturnType<
    ServerStore["prekeys"]["bundle"]
  >;
  oneTime?(
    truth: ServerStore["prekeys"],
    address: string,
  ): Promise<OneTimeKey | undefined>;
  /** Letters of which this is true it calls stored, and drops. */
  drops?(letter: Letter): boolean;
  /** What waits, when the mailbox of `recipient` is opened. */
  waiting?(recipient: string, truth: StoredLetter[]): StoredLetter[];
}

/** A server whose mailboxes lie as `lies` says at that moment. */
export async function lyingServer(
  options: MailboxServerOptions = {},
): Promise<MailboxServer & { readonly lies: Lies }> {
  const lies: Lies = {};
  const server = await mailboxServer({
    ...options,
    doctor: (store) => lying(store, lies),
  });
  return Object.assign(server, { lies });
}

function lying(store: ServerStore, lies: Lies): ServerStore {
  const { accounts, prekeys, letters, invites, blobs } = store;
  return {
    accounts: {
      create: (account, invite) => accounts.create(account, invite),
      byAddress: async (address) => {
        const truth = await accounts.byAddress(address);
        return lies.account === undefined ? truth : lies.account(truth);
      },
      byCertificateId: (id) => accounts.byCertificateId(id),
      changePassphrase: (address, record) =>
        accounts.changePassphrase(address, record),
      setDevice: (address, device) => accounts.setDevice(address, device),
      delete: (address) => accounts.delete(address),
      count: () => accounts.count(),
    },
    prekeys: {
      publish: (address, bundle, oneTime, replace) =>
        prekeys.publish(address, bundle, oneTime, replace),
      bundle: (address) =>
        lies.bundle?.(prekeys, address) ?? prekeys.bundle(address),
      takeOneTime: (address) =>
        lies.oneTime?.(prekeys, address) ?? prekeys.takeOneTime(address),
      left: (address) => prekeys.left(address),
    },
    letters: {
      add: (letter: Letter, quota: LetterUsage): Promise<LetterAddition> =>
        lies.drops?.(letter) === true
          ? Promise.resolve({ outcome: "duplicate", sequence: 1 })
          : letters.add(letter, quota),
      pending: async (recipient, after, limit) => {
        if (lies.waiting === undefined) {
          return await letters.pending(recipient, after, limit);
        }
        // All at once, when the mailbox is opened; numbers do not count among liars.
        if (after > 0) return [];
        return lies.waiting(
          recipient,
          await letters.pending(recipient, 0, 1_000),
        );
      },
      acknowledge: (recipient, sequences) =>
        letters.acknowledge(recipient, sequences),
      expire: (now) => letters.expire(now),
      usage: (recipient) => letters.usage(recipient),
    },
    invites,
    blobs,
    close: () => store.close(),
  };
}
