import type { AccountServer } from "../../lib/account/mod.ts";
import { accountLink } from "../../lib/account/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { listen } from "../../lib/net/mod.ts";
import type { Incoming } from "../../lib/net/mod.ts";
import { Caller } from "../../lib/protocol/mod.ts";
import type { CommandChannel } from "../../lib/protocol/mod.ts";
import { ROOMY } from "../support/server.ts";

/** Another listener in front of an account server. */
export interface SideDoor {
  readonly failures: unknown[];
  /** A connection without a word said. */
  dial(): Promise<Deno.TcpConn>;
  /** A connection with the handshake done. */
  connect(): Promise<CommandChannel>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a listener whose connections `accounts` takes for coming from `group`, and whose deadlines
 * pass `hurry` times as fast.
 */
export function sideDoor(
  accounts: AccountServer,
  node: NodeKeyring,
  { group, hurry = 1 }: { group?: string; hurry?: number } = {},
): SideDoor {
  const failures: unknown[] = [];
  const listener = listen(
    { hostname: "127.0.0.1", port: 0 },
    ROOMY,
    (incoming) => accounts.accept(disguised(incoming, group, hurry)),
    (error) => failures.push(error),
  );
  const dial = () =>
    Deno.connect({ hostname: "127.0.0.1", port: listener.port });
  return {
    failures,
    dial,
    async connect() {
      const caller = new Caller(await dial());
      return accountLink(await caller.connect(node.certificate.dhKey));
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
    },
  };
}

function disguised(
  incoming: Incoming,
  group: string = incoming.group,
  hurry: number,
): Incoming {
  return {
    group,
    hostname: incoming.hostname,
    read: (buffer) => incoming.read(buffer),
    write: (bytes) => incoming.write(bytes),
    deadline: (milliseconds) => incoming.deadline(milliseconds / hurry),
    close: () => incoming.close(),
  };
}
