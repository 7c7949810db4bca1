import type { ConsensusRelay, RelayDescriptor } from "../../directory/mod.ts";
import { parseIpAddress } from "../../net/mod.ts";
import { equalConstantTime } from "../../protocol/mod.ts";

/** Relays of one network have this many bits of their address in common. */
const NETWORK_BITS = { 4: 16, 6: 32 } as const;

const networks = new WeakMap<RelayDescriptor, string>();

/**
 * Whether two relays must not be in one circuit, because one operator may see both (path-spec §2.2):
 * they are the same, both name the other as of its family, or, if `distinctNetworks`, their addresses
 * are in one IPv4 /16 or IPv6 /32.
 */
export function areKin(
  a: ConsensusRelay,
  b: ConsensusRelay,
  distinctNetworks: boolean,
): boolean {
  return distinctNetworks && networkOf(a) === networkOf(b) ||
    isSame(a, b) || names(a, b) && names(b, a);
}

function isSame(a: ConsensusRelay, b: ConsensusRelay): boolean {
  return equalConstantTime(
    a.descriptor.identity.fingerprint,
    b.descriptor.identity.fingerprint,
  );
}

function names(relay: ConsensusRelay, other: ConsensusRelay): boolean {
  const { fingerprint } = other.descriptor.identity;
  return relay.descriptor.family.some((each) =>
    equalConstantTime(each, fingerprint)
  );
}

/** The first bits of the address; of something else the text itself. */
function networkOf({ descriptor }: ConsensusRelay): string {
  const known = networks.get(descriptor);
  if (known !== undefined) return known;
  const { host } = descriptor.address;
  const address = parseIpAddress(host);
  let network = host;
  if (address !== undefined) {
    const { family, value } = address;
    const width = family === 4 ? 32 : 128;
    const first = value >> BigInt(width - NETWORK_BITS[family]);
    network = `IPv${family} ${first.toString(16)}`;
  }
  networks.set(descriptor, network);
  return network;
}
