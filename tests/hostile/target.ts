import { accountLink, register } from "../../lib/account/mod.ts";
import type { Keyring, NodeCertificate } from "../../lib/identity/mod.ts";
import type { ListenerLimits } from "../../lib/net/mod.ts";
import {
  DEFAULT_MAILBOX_LIMITS,
  MAILBOX,
  MailboxService,
} from "../../lib/mailbox/mod.ts";
import {
  Caller,
  ChannelError,
  MalformedError,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import { testRsaPair } from "../support/rsa_pair.ts";
import { freshKeyring } from "../support/keyrings.ts";
import { ROOMY, testServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { memoryInUse } from "./memory.ts";
import type { Memory } from "./memory.ts";

/** How a server under attack is. */
export interface Condition extends Memory {
  /** Connections that are open. */
  readonly connections: number;
  /** Clients that are logged in. */
  readonly sessions: number;
  /** What went wrong inside that a peer must not be able to cause, in words. */
  readonly unexpected: readonly string[];
  /** How many connections ended because the other side broke a rule or left. */
  readonly expected: number;
}

/** A server that is attacked, in this process or in another. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  readonly certificate: NodeCertificate;
  condition(): Promise<Condition>;
}

/** Letters that may wait for one person at a target: few, so that its disk stays small. */
const MAILBOXES = {
  ...DEFAULT_MAILBOX_LIMITS,
  quota: { letters: 50, bytes: 65_536 },
};

/** What a target is made of: a server with accounts and mailboxes, and what it said of its failures. */
export interface LocalTarget extends Target {
  readonly server: TestServer;
}

/** A target in this process. */
export async function localTarget(
  listenerLimits: ListenerLimits = ROOMY,
): Promise<LocalTarget> {
  const failures: unknown[] = [];
  const failed = (error: unknown) => void failures.push(error);
  const server = await testServer({
    usrPairsForTesting: testRsaPair,
    listenerLimits,
    failed,
    withServices: (store) => ({
      services: [new MailboxService(store, MAILBOXES, Date.now, failed)],
      tables: [MAILBOX],
    }),
  });
  let expected = 0;
  const unexpected: string[] = [];
  // A function of its own, so that nothing on the stack keeps the errors when memory is measured.
  function sortFailures(): void {
    for (const each of [failures, server.failures]) {
      for (const error of each.splice(0)) {
        if (isPeers(error)) expected++;
        else unexpected.push(inWords(error));
      }
    }
  }
  return {
    server,
    port: server.listener.port,
    certificate: server.node.certificate,
    condition() {
      sortFailures();
      return Promise.resolve({
        ...memoryInUse(),
        connections: server.listener.connections,
        sessions: server.accounts.sessions,
        unexpected: [...unexpected],
        expected,
      });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Whether an error is one that any peer can cause: it broke a rule, or is gone. */
function isPeers(error: unknown): boolean {
  return error instanceof ChannelError || error instanceof MalformedError;
}

function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : ` <- ${inWords(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** A new connection to a target. */
export async function dialTarget({ port }: Target): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  return connection;
}

/** A new connection to a target, with the handshake done. */
export async function linkTo(target: Target): Promise<CommandChannel> {
  const caller = new Caller(await dialTarget(target));
  return accountLink(await caller.connect(target.certificate.dhKey));
}

/** Somebody with an account at a target. */
export interface Resident {
  readonly keyring: Keyring;
  readonly usrKey: Bytes;
}

/** Makes an account. */
export async function settle(
  target: Target,
  address: string,
): Promise<Resident> {
  const keyring = await freshKeyring(address);
  const link = await linkTo(target);
  const usrKey = await register(link, target.certificate, keyring, {});
  await link.close();
  return { keyring, usrKey };
}

/** The condition of a target once only its witness is left. */
export async function quiet(target: Target): Promise<Condition> {
  for (let i = 0; i < 100; i++) {
    const condition = await target.condition();
    if (condition.connections <= 1) return condition;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return await target.condition();
}
