import { ExitPolicy } from "../../lib/directory/mod.ts";
import {
  parseFingerprint,
  parseServerAddress,
} from "../../lib/identity/mod.ts";
import type { ServerAddress } from "../../lib/identity/mod.ts";
import { parseIpAddress } from "../../lib/net/mod.ts";
import type { ListenerLimits } from "../../lib/net/mod.ts";
import { DEFAULT_RELAY_LIMITS } from "../../lib/onion/mod.ts";
import type { RelayLimits } from "../../lib/onion/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { countOf } from "../count.ts";
import { parseDuration } from "../duration.ts";
import { describe, UsageError } from "../errors.ts";
import { COMMON_FLAGS } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import { PROTECTION_FLAGS } from "../key_file.ts";
import { parseListenAddress } from "../listen_address.ts";
import { NETWORK_FLAGS } from "../network_flags.ts";
import { LOG_FLAGS } from "../node_log.ts";
import { DATA_FLAG } from "../server/server_store.ts";
import { parseSize } from "../size.ts";

/** The flags of `sotto relay`. */
export const FLAGS = {
  ...COMMON_FLAGS,
  ...PROTECTION_FLAGS,
  ...DATA_FLAG,
  ...NETWORK_FLAGS,
  listen: { type: "string" },
  key: { type: "string" },
  address: { type: "string" },
  exit: { type: "string" },
  "exit-private": { type: "boolean" },
  hosts: { type: "string" },
  "middle-only": { type: "boolean" },
  family: { type: "string", multiple: true },
  bandwidth: { type: "string" },
  "max-circuits": { type: "string" },
  "max-queued": { type: "string" },
  "max-connections": { type: "string" },
  "max-per-address": { type: "string" },
  "circuit-rate": { type: "string" },
  drain: { type: "string" },
  ...LOG_FLAGS,
} as const;

/** What they say. */
export interface Settings {
  readonly listen: ServerAddress;
  /** What the relay is reached at, if it is not to learn that from the controllers. */
  readonly address: ServerAddress | undefined;
  readonly quiet: boolean;
  readonly policy: ExitPolicy;
  readonly hosts: string | undefined;
  readonly middleOnly: boolean;
  readonly family: readonly Bytes[];
  /** Bytes per second that the relay says it offers. */
  readonly offered: number;
  readonly limits: RelayLimits;
  readonly listener: ListenerLimits;
  /** How long circuits may go on when the relay is told to stop, in milliseconds. */
  readonly drain: number;
}

/** Bytes per second that a relay offers if it does not say: 100 Mbit/s. */
const OFFERED = 12_500_000;
/** Relays connect to each other from few addresses, and clients behind one address share it. */
const LISTENER: ListenerLimits = {
  connections: 20_000,
  perAddress: 1_000,
  rate: { perSecond: 50, burst: 500 },
};
const DRAIN = 30_000;

/** @throws {UsageError} if a flag cannot be what it is. */
export function settingsOf(flags: FlagValues<typeof FLAGS>): Settings {
  const bandwidth = flags.bandwidth === undefined
    ? undefined
    : parseSize(flags.bandwidth);
  const perSecond = countOf(
    "--circuit-rate",
    flags["circuit-rate"],
    DEFAULT_RELAY_LIMITS.creates.perSecond,
  );
  return {
    listen: parseListenAddress(flags.listen ?? "[::]:7609"),
    address: publicAddressOf(flags.address),
    quiet: flags.quiet,
    policy: policyOf(flags.exit, flags["exit-private"]),
    hosts: flags.hosts,
    middleOnly: flags["middle-only"],
    family: flags.family.map(relativeOf)
      .toSorted((a, b) => a.toHex() < b.toHex() ? -1 : 1),
    offered: bandwidth ?? OFFERED,
    limits: {
      circuits: countOf(
        "--max-circuits",
        flags["max-circuits"],
        DEFAULT_RELAY_LIMITS.circuits,
      ),
      memory: flags["max-queued"] === undefined
        ? DEFAULT_RELAY_LIMITS.memory
        : parseSize(flags["max-queued"]),
      bandwidth,
      creates: { perSecond, burst: 10 * perSecond },
    },
    listener: {
      ...LISTENER,
      connections: countOf(
        "--max-connections",
        flags["max-connections"],
        LISTENER.connections,
      ),
      perAddress: countOf(
        "--max-per-address",
        flags["max-per-address"],
        LISTENER.perAddress,
      ),
    },
    drain: flags.drain === undefined ? DRAIN : parseDuration(flags.drain),
  };
}

function publicAddressOf(text: string | undefined): ServerAddress | undefined {
  if (text === undefined) return undefined;
  const hint = "--address IP:PORT; relays are never reached by names";
  try {
    const address = parseServerAddress(text);
    if (parseIpAddress(address.host) !== undefined) return address;
  } catch (error) {
    throw new UsageError(describe(error), { hint });
  }
  throw new UsageError("--address is no IP address", { hint });
}

/** What an exit does unless it is told otherwise: nothing that leads into private networks. */
function policyOf(text: string | undefined, isPrivate: boolean): ExitPolicy {
  if (text === undefined) return ExitPolicy.REJECT_ALL;
  if (text === "web") return ExitPolicy.WEB;
  const rules = isPrivate ? text : `reject private:*, ${text}`;
  try {
    return ExitPolicy.parse(rules);
  } catch (error) {
    throw new UsageError(describe(error), {
      hint: '--exit web, or rules such as "accept *:22, accept *:443"',
    });
  }
}

function relativeOf(text: string): Bytes {
  try {
    return parseFingerprint(text);
  } catch (error) {
    throw new UsageError(describe(error), {
      hint: "--family takes the fingerprint of another relay of yours",
    });
  }
}
