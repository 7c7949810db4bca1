import { DEFAULT_PLAN } from "../../lib/lab/mod.ts";
import type { Kept, LabPlan } from "../../lib/lab/mod.ts";
import { countOf } from "../count.ts";
import { parseDuration } from "../duration.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import { quorumOf } from "../network.ts";

/** The flags of `sotto lab`. */
export const FLAGS = {
  ...COMMON_FLAGS,
  data: { type: "string" },
  controllers: { type: "string" },
  quorum: { type: "string" },
  relays: { type: "string" },
  server: { type: "boolean" },
  "no-server": { type: "boolean" },
  onion: { type: "boolean" },
  proxy: { type: "boolean" },
  "no-proxy": { type: "boolean" },
  people: { type: "string" },
  interval: { type: "string" },
  mix: { type: "string" },
  cover: { type: "string" },
} as const;

/**
 * The lab that the flags describe; what they leave open is as it was when the one in `kept` was raised.
 *
 * @throws {UsageError} if a flag cannot be what it is.
 */
export function planOf(flags: FlagValues<typeof FLAGS>, kept: Kept): LabPlan {
  const before = kept.plan ?? DEFAULT_PLAN;
  const { controllers, relays, interval } = before;
  const server = either(flags, "server", before.server);
  return {
    controllers: countOf("--controllers", flags.controllers, controllers),
    quorum: quorumOf(flags.quorum) ?? before.quorum,
    relays: countOf("--relays", flags.relays, relays),
    server,
    onion: flags.onion || (before.onion && server && !flags.server),
    proxy: either(flags, "proxy", before.proxy),
    people: flags.people === undefined
      ? before.people
      : flags.people.split(",").map((name) => name.trim()),
    interval: secondsOf(flags.interval, interval),
    mix: countOf("--mix", flags.mix, before.mix),
    cover: countOf("--cover", flags.cover, before.cover, 0),
  };
}

function either(
  flags: FlagValues<typeof FLAGS>,
  name: "server" | "proxy",
  otherwise: boolean,
): boolean {
  const [yes, no] = [flags[name], flags[`no-${name}`]];
  if (yes && no) {
    throw new UsageError(`--${name} and --no-${name} exclude each other`);
  }
  return yes || (otherwise && !no);
}

function secondsOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const seconds = parseDuration(text) / 1_000;
  if (Number.isInteger(seconds) && seconds >= 1) return seconds;
  throw new UsageError("--interval is whole seconds, from 1s on");
}
