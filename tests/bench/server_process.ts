/**
 * A server with accounts and mailboxes in a process of its own, with limits that nobody reaches.
 * Arguments: the directory for its database, and the file of the people who have accounts. It says
 * on which port it listens, its certificate, and the RSA key that it made for everybody (one for
 * all, because making one takes half a second). It ends with its input.
 *
 * @module
 */
import { AccountServer } from "../../lib/account/mod.ts";
import { PassphraseCheck } from "../../lib/account/passphrase_check.ts";
import { UsrKeys } from "../../lib/account/usr_keys.ts";
import type { Keyring, NodeKeyring } from "../../lib/identity/mod.ts";
import { MAILBOX, MailboxService } from "../../lib/mailbox/mod.ts";
import { listen } from "../../lib/net/mod.ts";
import type { ListenerLimits } from "../../lib/net/mod.ts";
import { SqliteServerStore } from "../../lib/store/mod.ts";
import type { ServerStore } from "../../lib/store/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import { testRsaPair } from "../support/rsa_pair.ts";
import { DEVICE, loadPeople } from "./people.ts";
import { BENCH_AUTH } from "./login_drivers.ts";
import { answerQuestions } from "./subprocess.ts";

const LIMITS: ListenerLimits = {
  connections: 100_000,
  perAddress: 100_000,
  rate: { perSecond: 100_000, burst: 100_000 },
};
const MAILBOXES = {
  quota: { letters: 1_000_000, bytes: 1_073_741_824 },
  retention: 86_400,
};

if (import.meta.main) await main(Deno.args[0]!, Deno.args[1]!);

async function main(directory: string, people: string): Promise<void> {
  const store = await SqliteServerStore.open(`${directory}/server.db`);
  const node = await freshNodeKeyring();
  await makeAccounts(store, node, await loadPeople(people));
  const accounts = new AccountServer({
    store,
    node,
    rules: { zones: ["bench"], mode: "open" },
    services: [new MailboxService(store, MAILBOXES, Date.now, complain)],
    tables: [MAILBOX],
    now: Date.now,
    failed: complain,
  });
  const listener = listen(
    { hostname: "127.0.0.1", port: 0 },
    LIMITS,
    (incoming) => accounts.accept(incoming),
    () => {/* clients of a benchmark leave without a word */},
  );
  await answerQuestions(
    {
      port: listener.port,
      certificate: node.certificate.bytes.toBase64(),
      usrKey: node.rsa.publicKey.toBase64(),
    },
    () => Promise.resolve({ sessions: accounts.sessions }),
  );
  await listener.close();
  await accounts.close();
  await store.close();
}

/** Accounts as registering makes them, without the RSA key pairs of their own. */
async function makeAccounts(
  store: ServerStore,
  node: NodeKeyring,
  people: readonly Keyring[],
): Promise<void> {
  const usrKeys = new UsrKeys(node.storageSecret);
  const passphrase = {
    ...await new PassphraseCheck(node.storageSecret).record(BENCH_AUTH),
    kdfSalt: new Uint8Array(16),
    kdfMemoryKiB: 65_536,
    kdfPasses: 3,
    wrappedKeys: new Uint8Array(2_600),
  };
  const usrPair = await testRsaPair();
  await Promise.all(people.map(async ({ certificate }) => {
    const usr = await usrKeys.seal(usrPair, certificate.id);
    await store.accounts.create({
      address: certificate.address,
      kind: "interactive",
      certificate: certificate.bytes,
      certificateId: certificate.id,
      ...passphrase,
      usrPublic: usr.publicKey,
      usrPrivateWrapped: usr.wrapped,
      device: DEVICE,
      createdAt: Date.now(),
    }, null);
  }));
}

function complain(error: unknown): void {
  // deno-lint-ignore no-console -- seen by whoever runs the benchmark
  console.error("server:", error);
}
