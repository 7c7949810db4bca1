import { accountLink } from "../../lib/account/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { listen } from "../../lib/net/mod.ts";
import { answer, Caller } from "../../lib/protocol/mod.ts";
import type { CommandChannel } from "../../lib/protocol/mod.ts";
import { ROOMY } from "./server.ts";

/** A server that holds its keys and otherwise does what a test tells it to: lie, mostly. */
export interface ScriptedServer {
  readonly node: NodeKeyring;
  /** What the script, or a connection to it, failed with. */
  readonly failures: unknown[];
  /** A new connection, with the handshake done. */
  connect(): Promise<CommandChannel>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Listens on loopback and hands every connection, once its handshake is done, to `script`. It is
 * dropped without a word when the script returns.
 */
export function scriptedServer(
  node: NodeKeyring,
  script: (link: CommandChannel) => Promise<void>,
): ScriptedServer {
  const failures: unknown[] = [];
  const listener = listen(
    { hostname: "127.0.0.1", port: 0 },
    ROOMY,
    async (incoming) => {
      const channel = await answer(incoming, {
        static: node.dh,
        certificate: node.certificate.bytes,
      });
      if (channel !== undefined) await script(accountLink(channel));
    },
    (error) => failures.push(error),
  );
  return {
    node,
    failures,
    async connect() {
      const connection = await Deno.connect({
        hostname: "127.0.0.1",
        port: listener.port,
      });
      const caller = new Caller(connection);
      return accountLink(await caller.connect(node.certificate.dhKey));
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
    },
  };
}
