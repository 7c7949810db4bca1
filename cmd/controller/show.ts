import type { Consensus, ConsensusRelay } from "../../lib/directory/mod.ts";
import {
  FLAG_EXIT,
  FLAG_GUARD,
  FLAG_MIDDLE_ONLY,
  FLAG_MIX,
  formatRelayAddress,
} from "../../lib/directory/mod.ts";
import { formatFingerprint } from "../../lib/identity/mod.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { NETWORK_FLAGS, NETWORK_HELP } from "../network_flags.ts";
import { networkFrom, openDirectory } from "../network.ts";
import { formatSize } from "../size.ts";
import { formatTable } from "../table.ts";

/** Help for `sotto controller show`. */
export const usage =
  `sotto controller show prints which relays the controllers say there are.

Usage: sotto controller show [--controller ADDRESS]... [--quorum N] [--json]

The newest consensus is fetched from any of the controllers, and verified as every client does: enough
of them have signed it, and it descends from the one that was seen here before.

Which network:
${NETWORK_HELP}
Examples:
  sotto controller show --controller sotto://FINGERPRINT@127.0.0.1:7608
  sotto controller show --json
`;

const FLAGS = { ...COMMON_FLAGS, ...NETWORK_FLAGS } as const;
const NAMES: readonly (readonly [number, string])[] = [
  [FLAG_GUARD, "guard"],
  [FLAG_EXIT, "exit"],
  [FLAG_MIX, "mix"],
  [FLAG_MIDDLE_ONLY, "middle-only"],
];

/** `sotto controller show`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const network = await networkFrom(io, flags);
  const directory = await openDirectory(io, network);
  try {
    const consensus = await directory.refresh();
    await io.stdout.write(
      flags.json
        ? `${JSON.stringify(asData(consensus))}\n`
        : asText(consensus, network.controllers.length),
    );
    return 0;
  } finally {
    directory.close();
  }
}

function asText(consensus: Consensus, controllers: number): string {
  const { height, relays, signers, validAfter, validUntil } = consensus;
  const head =
    `height ${height}, ${relays.length} relays, signed by ${signers.length} of ${controllers}, ` +
    `valid from ${timeOf(validAfter)} to ${timeOf(validUntil)}\n`;
  if (relays.length === 0) return head;
  const rows = relays.map(({ descriptor, flags }) => [
    formatFingerprint(descriptor.identity.fingerprint, "").slice(0, 8),
    formatRelayAddress(descriptor.address),
    namesOf(flags).join(" "),
    `${formatSize(descriptor.bandwidth)}/s`,
    descriptor.version,
    timeOf(descriptor.publishedAt),
  ]);
  return `${head}\n` + formatTable([
    { title: "relay" },
    { title: "address" },
    { title: "flags" },
    { title: "bandwidth", align: "right" },
    { title: "version" },
    { title: "since" },
  ], rows);
}

function asData(consensus: Consensus): Record<string, unknown> {
  const { height, hash, previous, signers, relays } = consensus;
  return {
    height,
    hash: hash.toHex(),
    previous: previous.toHex(),
    validAfter: consensus.validAfter,
    freshUntil: consensus.freshUntil,
    validUntil: consensus.validUntil,
    signers: signers.map(({ fingerprint }) =>
      formatFingerprint(fingerprint, "")
    ),
    relays: relays.map(relayData),
  };
}

function relayData(
  { descriptor, flags }: ConsensusRelay,
): Record<string, unknown> {
  const { identity, address, policy, bandwidth, family, version } = descriptor;
  return {
    fingerprint: formatFingerprint(identity.fingerprint, ""),
    address: formatRelayAddress(address),
    flags: namesOf(flags),
    policy: policy.toString(),
    bandwidth,
    family: family.map((each) => formatFingerprint(each, "")),
    version,
    publishedAt: descriptor.publishedAt,
  };
}

function namesOf(flags: number): string[] {
  return NAMES.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
}

function timeOf(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return Number.isNaN(date.getTime())
    ? "?"
    : date.toISOString().replace("T", " ").slice(0, 16);
}
