import type {
  Account,
  AccountStore,
  ServerStore,
} from "../../lib/store/mod.ts";

/** `store` as it is, except that accounts are read as `change` says. */
export function doctoredStore(
  store: ServerStore,
  change: (
    account: Account | undefined,
  ) => Promise<Account | undefined> | Account | undefined,
): ServerStore {
  const { accounts, prekeys, letters, invites, blobs } = store;
  const doctored: AccountStore = {
    create: (account, invite) => accounts.create(account, invite),
    byAddress: async (address) => change(await accounts.byAddress(address)),
    byCertificateId: async (id) => change(await accounts.byCertificateId(id)),
    changePassphrase: (address, record) =>
      accounts.changePassphrase(address, record),
    setDevice: (address, device) => accounts.setDevice(address, device),
    delete: (address) => accounts.delete(address),
    count: () => accounts.count(),
  };
  return {
    accounts: doctored,
    prekeys,
    letters,
    invites,
    blobs,
    close: () => store.close(),
  };
}
