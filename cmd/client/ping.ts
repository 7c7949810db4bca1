import {
  formatFingerprint,
  formatServerAddress,
} from "../../lib/identity/mod.ts";
import { Caller } from "../../lib/protocol/mod.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { profilePath } from "../paths.ts";
import { readAccount } from "./profile_account.ts";
import { Route, ROUTE_FLAGS } from "./route.ts";
import { aboutServer, serverOf } from "./server_link.ts";

/** Help for `sotto client ping`. */
export const usage = `sotto client ping asks whether a server is there.

Usage: sotto client ping [SERVER] [--key] [--onion] [--json]

SERVER is HOST, HOST:PORT or sotto://FINGERPRINT@HOST:PORT; your own server if not given. The question
and the answer (HELO, OLEH) need no keys and tell nothing. With --key the server's key is fetched and
held against the known one, a channel is opened, and the server says what kind it is. With --onion the way
leads through the onion network.

Examples:
  sotto client ping example.org
  sotto client ping --key --json example.org:7607
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...ROUTE_FLAGS,
  key: { type: "boolean" },
} as const;

/** `sotto client ping`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    most: 1,
    shape: "[SERVER]",
  });
  const [named] = operands;
  const server = named === undefined
    ? (await readAccount(profilePath(io, flags.profile), flags.profile)).server
    : serverOf(named);
  const at = formatServerAddress({ host: server.host, port: server.port });
  await using route = new Route(io, flags);
  const stream = await route.dial(server, io.signal);
  let milliseconds: number;
  try {
    const begin = performance.now();
    await new Caller(stream).ping();
    milliseconds = Math.round((performance.now() - begin) * 100) / 100;
  } finally {
    stream.close();
  }
  const details = flags.key ? await look(io, route, server, flags.json) : {};
  if (flags.json) {
    const answer = { server: at, milliseconds, ...details };
    await io.stdout.write(`${JSON.stringify(answer)}\n`);
    return 0;
  }
  await io.stdout.write(`${at} is there (${milliseconds} ms)\n`);
  for (const [name, value] of Object.entries(details)) {
    const title = name === "maxPacket" ? "max-packet" : name;
    await io.stdout.write(`${title.padEnd(13)}${value}\n`);
  }
  return 0;
}

async function look(
  io: Io,
  route: Route,
  server: ReturnType<typeof serverOf>,
  asJson: boolean,
): Promise<Record<string, string | number>> {
  const { zone, registration, maxPacket, node } = await aboutServer(
    io,
    route,
    server,
  );
  return {
    fingerprint: formatFingerprint(node.fingerprint, asJson ? "" : " "),
    zone,
    registration,
    maxPacket,
  };
}
