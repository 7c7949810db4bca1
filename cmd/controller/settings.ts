import { DEFAULT_CONTROLLER_LIMITS } from "../../lib/directory/mod.ts";
import type {
  ControllerLimits,
  RegistryRules,
} from "../../lib/directory/mod.ts";
import type { ServerAddress } from "../../lib/identity/mod.ts";
import { DEFAULT_LISTENER_LIMITS } from "../../lib/net/mod.ts";
import type { ListenerLimits } from "../../lib/net/mod.ts";
import { countOf } from "../count.ts";
import { parseDuration } from "../duration.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import { PROTECTION_FLAGS } from "../key_file.ts";
import { parseListenAddress } from "../listen_address.ts";
import { quorumOf } from "../network.ts";
import { LOG_FLAGS } from "../node_log.ts";

/** The flags of `sotto controller`. */
export const FLAGS = {
  ...COMMON_FLAGS,
  ...PROTECTION_FLAGS,
  data: { type: "string" },
  listen: { type: "string" },
  key: { type: "string" },
  peer: { type: "string", multiple: true },
  quorum: { type: "string" },
  interval: { type: "string" },
  valid: { type: "string" },
  "alive-every": { type: "string" },
  "forget-after": { type: "string" },
  "probe-every": { type: "string" },
  "guard-after": { type: "string" },
  "per-address": { type: "string" },
  "allow-private": { type: "boolean" },
  "max-connections": { type: "string" },
  "max-per-address": { type: "string" },
  ...LOG_FLAGS,
} as const;

/** What they say. */
export interface Settings {
  readonly listen: ServerAddress;
  readonly quiet: boolean;
  readonly peers: readonly string[];
  readonly quorum: number | undefined;
  /** Seconds. */
  readonly interval: number;
  /** Seconds. */
  readonly lifetime: number;
  readonly rules: RegistryRules;
  readonly limits: ControllerLimits;
  readonly listener: ListenerLimits;
}

const HOUR = 3_600_000;
const YEAR = 366 * 24 * HOUR;

/** @throws {UsageError} if a flag cannot be what it is. */
export function settingsOf(flags: FlagValues<typeof FLAGS>): Settings {
  const interval = timeOf("--interval", flags.interval, 300_000, 1_000);
  const lifetime = timeOf("--valid", flags.valid, 3 * HOUR, interval);
  if (interval % 1_000 !== 0 || lifetime % 1_000 !== 0) {
    throw new UsageError("--interval and --valid are whole seconds");
  }
  const { aliveEvery, probeEvery } = DEFAULT_CONTROLLER_LIMITS;
  const alive = timeOf("--alive-every", flags["alive-every"], aliveEvery, 100);
  const allowPrivate = flags["allow-private"];
  return {
    listen: parseListenAddress(flags.listen ?? "127.0.0.1:7608"),
    quiet: flags.quiet,
    peers: flags.peer,
    quorum: quorumOf(flags.quorum),
    interval: interval / 1_000,
    lifetime: lifetime / 1_000,
    rules: {
      perAddress: countOf("--per-address", flags["per-address"], 4),
      anyOnLoopback: allowPrivate,
      forgetAfter: timeOf(
        "--forget-after",
        flags["forget-after"],
        3 * alive,
        alive,
      ),
      guardAfter: timeOf("--guard-after", flags["guard-after"], 8 * HOUR, 0),
    },
    limits: {
      ...DEFAULT_CONTROLLER_LIMITS,
      allowPrivate,
      aliveEvery: alive,
      probeEvery: timeOf(
        "--probe-every",
        flags["probe-every"],
        probeEvery,
        100,
      ),
    },
    listener: {
      ...DEFAULT_LISTENER_LIMITS,
      connections: countOf(
        "--max-connections",
        flags["max-connections"],
        DEFAULT_LISTENER_LIMITS.connections,
      ),
      perAddress: countOf(
        "--max-per-address",
        flags["max-per-address"],
        DEFAULT_LISTENER_LIMITS.perAddress,
      ),
    },
  };
}

/** Milliseconds, from `least` to a year. */
function timeOf(
  flag: string,
  text: string | undefined,
  otherwise: number,
  least: number,
): number {
  const time = text === undefined
    ? Math.max(otherwise, least)
    : parseDuration(text);
  if (time < least || time > YEAR) {
    throw new UsageError(`${flag} is out of its range`, {
      hint: `${least / 1_000}s to a year`,
    });
  }
  return time;
}
