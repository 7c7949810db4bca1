import { accountLink } from "../../lib/account/mod.ts";
import type { NodeCertificate } from "../../lib/identity/mod.ts";
import { parseNodeCertificate } from "../../lib/identity/mod.ts";
import { dial } from "../../lib/net/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import { Caller } from "../../lib/protocol/mod.ts";
import type { Json } from "./subprocess.ts";
import { numberOf, textOf } from "./subprocess.ts";

/** What clients of a benchmark know about the server that they measure. */
export interface ServerUnderTest {
  readonly pid: number;
  readonly port: number;
  readonly certificate: NodeCertificate;
  /** The RSA key (SPKI) that the server made for its accounts. */
  readonly usrKey: Bytes;
}

/** Reads what `server_process.ts` said, with its process id added. */
export async function parseServer(said: Json): Promise<ServerUnderTest> {
  return {
    pid: numberOf(said, "pid"),
    port: numberOf(said, "port"),
    certificate: await parseNodeCertificate(
      Uint8Array.fromBase64(textOf(said, "certificate")),
    ),
    usrKey: Uint8Array.fromBase64(textOf(said, "usrKey")),
  };
}

/** A connection with the handshake done; nobody has logged in on it. */
export async function connectTo(
  server: ServerUnderTest,
): Promise<CommandChannel> {
  const caller = new Caller(
    await dial({ hostname: "127.0.0.1", port: server.port }),
  );
  return accountLink(await caller.connect(server.certificate.dhKey));
}

/** Does `work` for 0 to `count` - 1, `together` at a time. */
export async function inParallel(
  count: number,
  together: number,
  work: (number: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: together }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
