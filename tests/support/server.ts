import type { Service } from "../../lib/account/mod.ts";
import { accountLink, AccountServer } from "../../lib/account/mod.ts";
import type { AccountServerOptions } from "../../lib/account/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { listen } from "../../lib/net/mod.ts";
import type { Listener, ListenerLimits } from "../../lib/net/mod.ts";
import { Caller } from "../../lib/protocol/mod.ts";
import type { CommandChannel, CommandTable } from "../../lib/protocol/mod.ts";
import { SqliteServerStore } from "../../lib/store/mod.ts";
import type { ServerStore } from "../../lib/store/mod.ts";
import { testNodeKeyring } from "./keyrings.ts";

/** Limits that no test runs into by accident. */
export const ROOMY: ListenerLimits = {
  connections: 10_000,
  perAddress: 10_000,
  rate: { perSecond: 10_000, burst: 10_000 },
};

/** A server on loopback, in this process, over real sockets. */
export interface TestServer {
  readonly node: NodeKeyring;
  readonly store: ServerStore;
  readonly listener: Listener;
  readonly accounts: AccountServer;
  /** Path of the store's database file. */
  readonly database: string;
  /** What the server said had gone wrong inside, or on its connections. */
  readonly failures: unknown[];
  /** A new connection, with the handshake done. */
  connect(): Promise<CommandChannel>;
  /** A new connection without a word said. */
  dial(): Promise<Deno.TcpConn>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestServerOptions extends Partial<AccountServerOptions> {
  readonly listenerLimits?: ListenerLimits;
  readonly withServices?: (
    store: ServerStore,
  ) => { services: readonly Service[]; tables: readonly CommandTable[] };
}

export async function testServer(
  options: TestServerOptions = {},
): Promise<TestServer> {
  const directory = await Deno.makeTempDir({ prefix: "sotto-test-" });
  const database = `${directory}/server.db`;
  const store = await SqliteServerStore.open(database);
  const node = options.node ?? await testNodeKeyring();
  const failures: unknown[] = [];
  const failed = (error: unknown) => void failures.push(error);
  const accounts = new AccountServer({
    store,
    node,
    rules: { zones: ["test"], mode: "open" },
    services: [],
    tables: [],
    limits: { registrations: { perSecond: 1_000, burst: 1_000 } },
    now: Date.now,
    failed,
    ...options,
    ...options.withServices?.(store),
  });
  const listener = listen(
    { hostname: "127.0.0.1", port: 0 },
    options.listenerLimits ?? ROOMY,
    (incoming) => accounts.accept(incoming),
    failed,
  );
  const dial = async () => {
    const connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: listener.port,
    });
    connection.setNoDelay(true);
    return connection;
  };
  return {
    node,
    store,
    listener,
    accounts,
    database,
    failures,
    dial,
    async connect() {
      const caller = new Caller(await dial());
      return accountLink(await caller.connect(node.certificate.dhKey));
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
      await accounts.close();
      await store.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}
