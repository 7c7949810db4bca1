import { parseServerAddress } from "../../lib/identity/mod.ts";
import { connectToEntry } from "../../lib/lab/crowd/connect_to_entry.ts";
import { Crowd } from "../../lib/lab/crowd/crowd.ts";
import { MixIdentities } from "../client/private/mix_identities.ts";
import { NO_ROUTE_FLAGS, Route } from "../client/route.ts";
import { aboutServer } from "../client/server_link.ts";
import { countOf } from "../count.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { NETWORK_FLAGS } from "../network_flags.ts";
import { LOG_FLAGS, openLog } from "../node_log.ts";
import { stopped } from "../running.ts";

/** Help for `sotto lab member crowd`. */
export const usage =
  `sotto lab member crowd takes part in the rounds of a server as many clients, who only send cover.

Usage: sotto lab member crowd --server ADDRESS --clients N [--controller ADDRESS]...

Example:
  sotto lab member crowd --server 127.0.0.1:7607 --clients 200
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...NETWORK_FLAGS,
  ...LOG_FLAGS,
  server: { type: "string" },
  clients: { type: "string" },
} as const;

/** Between two lines of the log, in milliseconds. */
const STATUS_EVERY = 10_000;
/** Between two looks at whether all of them take part. */
const LOOK = 100;

/** `sotto lab member crowd`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  if (flags.server === undefined) throw new UsageError("--server is missing");
  const size = countOf("--clients", flags.clients, 1);
  const server = parseServerAddress(flags.server);
  const route = new Route(io, NO_ROUTE_FLAGS);
  const { node } = await aboutServer(io, route, server);
  const identities = new MixIdentities(io, flags, node);
  const log = openLog(io, flags);
  const { host: hostname, port } = server;
  const crowd = new Crowd({
    size,
    connect: () => connectToEntry({ hostname, port }, node),
    identityOf: (fingerprint) => identities.of(fingerprint),
    policy: { coordinator: node.fingerprint, leastMixes: 1 },
  });
  const tell = () => {
    const { joined, gone, refused, exchange } = crowd.status;
    log.status({ clients: size, joined, gone, refused, ...exchange });
  };
  crowd.start();
  const telling = setInterval(tell, STATUS_EVERY);
  const joining = setInterval(() => {
    if (crowd.status.joined < size) return;
    clearInterval(joining);
    io.stdout.write(`joined ${size}\n`).catch(() => {});
  }, LOOK);
  await stopped(io.signal);
  clearInterval(telling);
  clearInterval(joining);
  tell();
  await crowd.close();
  await identities.close();
  await log.close();
  return 0;
}
