import { readPrivateFile } from "../../lib/identity/mod.ts";
import { equalConstantTime, utf8 } from "../../lib/protocol/mod.ts";
import { Front } from "../../lib/onion/mod.ts";
import { CommandError } from "../errors.ts";
import { countOf } from "../count.ts";
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

/** Help for `sotto client proxy`. */
export const usage =
  `sotto client proxy lets other programs use the onion network: browsers, curl, git, anything that can
use a proxy.

Usage: sotto client proxy [--listen [HOST:]PORT] [FLAG]...

It speaks SOCKS5 (also RESOLVE), SOCKS4a and HTTP, all on one port. Names are resolved at the other end, never
here. Streams with different user names or passwords never share a circuit. It runs until Ctrl-C.

Flags:
  --listen [HOST:]PORT     where to listen; 127.0.0.1:7680 if not given
  --allow-remote           listen on an address that other machines can reach
  --password-file FILE     serve only who shows the password in it, under any user name
  --isolate-hosts          streams to different hosts never share a circuit either
  --max-connections N      connections at once; 1000 if not given
  --json                   say where it listens as JSON
  --quiet, -q              say nothing when it listens, and show no status line

Network:
${NETWORK_HELP}${ONION_HELP}
Examples:
  sotto client proxy
  curl --socks5-hostname 127.0.0.1:7680 https://example.org/
  curl --proxy http://me:errand-1@127.0.0.1:7680 https://example.org/
  chromium --proxy-server=socks5://127.0.0.1:7680
  git -c http.proxy=socks5h://127.0.0.1:7680 clone https://example.org/repository.git
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...ONION_FLAGS,
  listen: { type: "string" },
  "allow-remote": { type: "boolean" },
  "password-file": { type: "string" },
  "isolate-hosts": { type: "boolean" },
  "max-connections": { type: "string" },
} as const;

const LISTEN = "127.0.0.1:7680";
const MAX_CONNECTIONS = 1_000;

/** `sotto client proxy`. */
export function run(args: string[], io: Io): Promise<number> {
  return runProxy(args, io, openOnion);
}

/** The same, through any onion. */
export async function runProxy(
  args: string[],
  io: Io,
  open: OpenOnion,
): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const at = parseLocalAddress(flags.listen ?? LISTEN, flags["allow-remote"]);
  const most = countOf(
    "--max-connections",
    flags["max-connections"],
    MAX_CONNECTIONS,
  );
  const password = flags["password-file"] === undefined
    ? undefined
    : await readPassword(flags["password-file"]);
  // Asked for before anybody learns that we are there: from then on we may be told to stop.
  const { signal } = io;
  const onion = await open(io, flags);
  try {
    const meter = new StreamMeter(onion.opener);
    const status = new ProxyStatus(io, onion, meter, flags.quiet);
    const failed = (error: unknown) =>
      status.log.error("failed", { why: String(error) });
    const front = new Front(meter, {
      failed,
      isolateHosts: flags["isolate-hosts"],
      admit: password === undefined
        ? undefined
        : (shown) => shown !== undefined && isSame(shown.password, password),
    });
    try {
      const listener = listenLocally(at, {
        most,
        serve: (connection) => front.serve(connection),
        failed,
      });
      try {
        if (flags.json) await sayJson(io, listener);
        else if (!flags.quiet) await say(io, listener);
        await untilStopped(signal);
      } finally {
        await listener.close();
      }
    } finally {
      await status.close();
    }
  } finally {
    await onion.close();
  }
  return 0;
}

/** The first line of the file. */
async function readPassword(path: string): Promise<string> {
  const [password = ""] = (await readPrivateFile(path)).split(/\r?\n/);
  if (password === "") {
    throw new CommandError(`Cannot use ${path}: there is no password in it`);
  }
  return password;
}

/** @param shown each byte of it as a character. */
function isSame(shown: string, password: string): boolean {
  const bytes = Uint8Array.from(shown, (each) => each.charCodeAt(0));
  return equalConstantTime(bytes, utf8(password));
}

async function say(io: Io, { address }: LocalListener): Promise<void> {
  await io.stdout.write(
    `listening on ${address}\n` +
      `SOCKS5   curl --socks5-hostname ${address} https://example.org/\n` +
      `HTTP     curl --proxy http://${address} https://example.org/\n` +
      `browser  chromium --proxy-server=socks5://${address}\n`,
  );
}

async function sayJson(
  io: Io,
  { address, port }: LocalListener,
): Promise<void> {
  const facts = { listening: address, port, protocols: PROTOCOLS };
  await io.stdout.write(`${JSON.stringify(facts)}\n`);
}

const PROTOCOLS = ["socks5", "socks4a", "http"];
