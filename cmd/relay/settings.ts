import { ExitPolicy } from "../../lib/directory/mod.ts";
import { parseServerAddress } from "../../lib/identity/mod.ts";
import type { ServerAddress } from "../../lib/identity/mod.ts";
import type { NoiseLevel } from "../../lib/mix/mod.ts";
import { parseIpAddress } from "../../lib/net/mod.ts";
import type { ListenerLimits } from "../../lib/net/mod.ts";
import { DEFAULT_RELAY_LIMITS } from "../../lib/onion/mod.ts";
import type { RelayLimits } from "../../lib/onion/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { countOf } from "../count.ts";
import { parseDuration } from "../duration.ts";
import { describe, UsageError } from "../errors.ts";
import { parseFingerprintFlag } from "../fingerprint_flag.ts";
import { COMMON_FLAGS } from "../flags.ts";
import type { FlagValues } from "../flags.ts";
import { PROTECTION_FLAGS } from "../key_file.ts";
import { parseListenAddress } from "../listen_address.ts";
import { parseMixNoise } from "../mix_noise.ts";
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
  mix: { type: "boolean" },
  "mix-for": { type: "string", multiple: true },
  "mix-noise": { type: "string" },
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
  /** What it does as a mix, if it is one. */
  readonly mix: RelayMixSettings | undefined;
}

/** What a relay does as a mix. */
export interface RelayMixSettings {
  /** Fingerprints (32 bytes) of the servers whose rounds it mixes; none for any server. */
  readonly coordinators: readonly Bytes[];
  /** What it adds to rounds. */
  readonly noise: NoiseLevel;
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
    mix: mixOf(flags),
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
  return parseFingerprintFlag(
    text,
    "--family takes the fingerprint of another relay of yours",
  );
}

function mixOf(flags: FlagValues<typeof FLAGS>): RelayMixSettings | undefined {
  const { mix, "mix-for": named, "mix-noise": noise } = flags;
  if (!mix) {
    if (named.length === 0 && noise === undefined) return undefined;
    throw new UsageError("--mix-for and --mix-noise are for --mix");
  }
  const hint = "--mix-for takes the fingerprint of a server";
  return {
    coordinators: named.map((each) => parseFingerprintFlag(each, hint)),
    noise: parseMixNoise(noise),
  };
}
