import { randomBytes } from "../../lib/protocol/mod.ts";
import { countOf } from "../count.ts";
import { parseDuration } from "../duration.ts";
import { CommandError, UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import type { Io } from "../io.ts";
import { NETWORK_HELP } from "../network_flags.ts";
import { fetchRequest } from "./fetch_request.ts";
import type { FetchSettings } from "./fetching.ts";
import { Fetching } from "./fetching.ts";
import type { OpenOnion } from "./onion_link.ts";
import { ONION_FLAGS, ONION_HELP } from "./onion_flags.ts";
import { openOnion } from "./onion_link.ts";
import { WebClient } from "../../lib/onion/mod.ts";

/** Help for `sotto client fetch`. */
export const usage =
  `sotto client fetch fetches a web page or file through the onion network.

Usage: sotto client fetch URL [-o FILE] [FLAG]...

What it fetches goes to standard output, or to FILE: as FILE.part until it is whole. When the connection breaks
it goes on where it was, if the server can do that. Redirects are followed. An error of the server (404, say) is
printed as any page, and never becomes FILE.

Flags:
  --output, -o FILE        write to FILE; "-" is standard output
  --resume                 go on with the FILE.part that an earlier fetch has left
  --replace                overwrite FILE if it is there
  --fail, -f               print nothing and end with code 1 when the server says 400 or more
  --include, -i            print the status and the header before the body
  --header, -H 'NAME: VALUE'
                           send it; several are possible
  --method METHOD          GET if not given, POST with --data
  --data TEXT, --data @FILE
                           send this body; @- is standard input
  --no-redirect            do not follow redirects
  --cacert FILE            trust the certificates in FILE (PEM) too
  --retries N              attempts after one that brought nothing; 5 if not given
  --stall DURATION         the longest time in which nothing comes; 60s if not given
  --json                   say what came as JSON (with --output)
  --quiet, -q              show no progress

Network:
${NETWORK_HELP}${ONION_HELP}
Examples:
  sotto client fetch https://example.org/
  sotto client fetch https://example.org/big.iso -o big.iso
  sotto client fetch https://example.org/big.iso -o big.iso --resume
  sotto client fetch --fail https://example.org/api -H 'Accept: application/json' | jq .
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...ONION_FLAGS,
  output: { type: "string", short: "o" },
  resume: { type: "boolean" },
  replace: { type: "boolean" },
  fail: { type: "boolean", short: "f" },
  include: { type: "boolean", short: "i" },
  header: { type: "string", short: "H", multiple: true },
  method: { type: "string" },
  data: { type: "string" },
  "no-redirect": { type: "boolean" },
  cacert: { type: "string", multiple: true },
  retries: { type: "string" },
  stall: { type: "string" },
} as const;

const RETRIES = 5;
const STALL = "60s";

/** `sotto client fetch`. */
export function run(args: string[], io: Io): Promise<number> {
  return runFetch(args, io, openOnion);
}

/** The same, through any onion, and with pauses as `pause` makes them. */
export async function runFetch(
  args: string[],
  io: Io,
  open: OpenOnion,
  pause: (milliseconds: number, signal: AbortSignal) => Promise<void> = wait,
): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 1,
    shape: "URL",
  });
  const settings = settingsOf(flags);
  const request = await fetchRequest(io, operands[0]!, flags);
  const authorities = await Promise.all(flags.cacert.map(readAuthority));
  if (settings.file !== undefined && !flags.replace) {
    await mustBeFree(settings.file);
  }
  const { signal } = io;
  const onion = await open(io, flags);
  try {
    const web = new WebClient({
      opener: onion.opener,
      // Nothing else goes through its circuits.
      isolation: randomBytes(16).toHex(),
      authorities,
    }, !flags["no-redirect"]);
    const fetching = new Fetching(io, settings, request, web);
    return await fetching.run((ms) => pause(ms, signal));
  } finally {
    await onion.close();
  }
}

function settingsOf(flags: FlagValues<typeof FLAGS>): FetchSettings {
  const file = flags.output === "-" ? undefined : flags.output;
  if (file === undefined && flags.json) {
    throw new UsageError("--json goes with --output FILE", {
      hint: "standard output is for what is fetched",
    });
  }
  if (file === undefined && (flags.resume || flags.replace)) {
    throw new UsageError("--resume and --replace go with --output FILE");
  }
  if (file !== undefined && flags.include) {
    throw new UsageError("--include does not go with --output FILE");
  }
  return {
    ...flags,
    file,
    retries: countOf("--retries", flags.retries, RETRIES, 0),
    stall: parseDuration(flags.stall ?? STALL),
  };
}

/** @throws {CommandError} if there is something already that would be lost. */
async function mustBeFree(path: string): Promise<void> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new CommandError(`Cannot write ${path}`, { cause: error });
  }
  throw new CommandError(`Cannot write ${path}: it is there already`, {
    hint: "--replace overwrites it",
  });
}

async function readAuthority(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new CommandError(`Cannot read ${path}`, { cause });
  }
}

/** Waits, but not longer than the person wants to. */
function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
