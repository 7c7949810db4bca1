import {
  formatAuthority,
  Forward,
  httpRefusal,
  parseAuthority,
} from "../../lib/onion/mod.ts";
import type { Destination } from "../../lib/onion/mod.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { NETWORK_HELP } from "../network_flags.ts";
import { parseLocalAddress } from "./local_address.ts";
import { listenLocally } from "./local_listener.ts";
import type { LocalListener } from "./local_listener.ts";
import type { OpenOnion } from "./onion_link.ts";
import { ONION_FLAGS, ONION_HELP } from "./onion_flags.ts";
import { openOnion } from "./onion_link.ts";
import { ProxyStatus } from "./proxy_status.ts";
import { StreamMeter } from "./stream_meter.ts";
import { untilStopped } from "./until_stopped.ts";

/** Help for `sotto client forward`. */
export const usage =
  `sotto client forward carries a port of this machine through the onion network to a port elsewhere, for
programs that know nothing of proxies.

Usage: sotto client forward LOCAL:HOST:PORT... [FLAG]...

LOCAL is a port or an address and a port of this machine; whatever connects there is carried to PORT of HOST,
whose name is resolved at the other end. IPv6 addresses go in brackets. It runs until Ctrl-C.

Flags:
  --allow-remote           listen on an address that other machines can reach
  --json                   say where it listens as JSON, one line each
  --quiet, -q              say nothing when it listens, and show no status line

Network:
${NETWORK_HELP}${ONION_HELP}
Examples:
  sotto client forward 8080:web.example:80
  sotto client forward 2222:host.example:22 1430:mail.example:143
  sotto client forward [::1]:5432:[2001:db8::1]:5432
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...ONION_FLAGS,
  "allow-remote": { type: "boolean" },
} as const;

/** Connections at once, at each port. */
const MAX_CONNECTIONS = 1_000;
/** Forwards of one command. */
const MOST = 1_000;

/** `sotto client forward`. */
export function run(args: string[], io: Io): Promise<number> {
  return runForward(args, io, openOnion);
}

/** The same, through any onion. */
export async function runForward(
  args: string[],
  io: Io,
  open: OpenOnion,
): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 1,
    most: MOST,
    shape: "LOCAL:HOST:PORT...",
  });
  const routes = operands.map((text) =>
    parseRoute(text, flags["allow-remote"])
  );
  const { signal } = io;
  const onion = await open(io, flags);
  const listeners: LocalListener[] = [];
  try {
    const meter = new StreamMeter(onion.opener);
    const status = new ProxyStatus(io, onion, meter, flags.quiet);
    try {
      for (const route of routes) {
        listeners.push(listenTo(route, meter, status));
      }
      for (const [i, { address }] of listeners.entries()) {
        const to = formatAuthority(routes[i]!.to);
        const line = flags.json
          ? JSON.stringify({ listening: address, to })
          : `listening on ${address}, carried to ${to}`;
        if (flags.json || !flags.quiet) await io.stdout.write(`${line}\n`);
      }
      await untilStopped(signal);
    } finally {
      await Promise.all(listeners.map((listener) => listener.close()));
      await status.close();
    }
  } finally {
    await onion.close();
  }
  return 0;
}

/** From where to where. */
export interface Route {
  readonly from: Destination;
  readonly to: Destination;
}

/**
 * Reads `LOCAL:HOST:PORT`.
 *
 * @throws {UsageError} if it is none, or others could connect who must not.
 */
export function parseRoute(text: string, allowRemote: boolean): Route {
  const part = "\\[[^\\]]+\\]|[^:[\\]]+";
  const parts = new RegExp(`^((?:(?:${part}):)?\\d+):((?:${part}):\\d+)$`)
    .exec(text);
  if (parts === null) throw notARoute(text);
  const from = parseLocalAddress(parts[1]!, allowRemote);
  try {
    return { from, to: parseAuthority(parts[2]!) };
  } catch {
    throw notARoute(text);
  }
}

function listenTo(
  { from, to }: Route,
  meter: StreamMeter,
  { log }: ProxyStatus,
): LocalListener {
  const failed = (error: unknown) =>
    log.error("failed", { why: String(error) });
  const forward = new Forward(meter, to, {
    refused: ({ reason }) =>
      log.warn("not connected", {
        to: formatAuthority(to),
        why: httpRefusal(reason).text,
      }),
    failed,
  });
  return listenLocally(from, {
    most: MAX_CONNECTIONS,
    serve: (connection) => forward.serve(connection),
    failed,
  });
}

function notARoute(text: string): UsageError {
  return new UsageError(`cannot forward ${text}`, {
    hint: 'LOCAL:HOST:PORT, as in "8080:web.example:80"',
  });
}
