import type { IpAddress } from "./ip_address.ts";
import { parseIpPrefix, prefixHolds } from "./ip_prefix.ts";
import type { IpPrefix } from "./ip_prefix.ts";

/** What an address is for; only a public one is for everybody. */
export type AddressKind =
  | "public"
  | "unspecified"
  | "this-network"
  | "loopback"
  | "private"
  | "shared"
  | "link-local"
  | "unique-local"
  | "multicast"
  | "broadcast"
  | "documentation"
  | "benchmarking"
  | "protocol"
  | "metadata"
  | "reserved";

type Row = readonly [prefix: IpPrefix, kind: AddressKind];

/**
 * The IANA special-purpose registries (RFC 6890), the narrower before the wider. Of what IANA set aside
 * for protocols a few addresses are reachable for all; nobody browses them, so that they count as the
 * rest does.
 */
const SPECIAL: readonly Row[] = [
  row("0.0.0.0", "unspecified"),
  row("0.0.0.0/8", "this-network"),
  row("10.0.0.0/8", "private"),
  row("100.64.0.0/10", "shared"),
  row("127.0.0.0/8", "loopback"),
  row("169.254.0.0/16", "link-local"),
  row("172.16.0.0/12", "private"),
  row("192.0.0.0/24", "protocol"),
  row("192.0.2.0/24", "documentation"),
  row("192.88.99.0/24", "reserved"),
  row("192.168.0.0/16", "private"),
  row("198.18.0.0/15", "benchmarking"),
  row("198.51.100.0/24", "documentation"),
  row("203.0.113.0/24", "documentation"),
  row("224.0.0.0/4", "multicast"),
  row("255.255.255.255", "broadcast"),
  row("240.0.0.0/4", "reserved"),
  // In public space, but every machine at Azure sees its host's services there.
  row("168.63.129.16", "metadata"),

  row("::", "unspecified"),
  row("::1", "loopback"),
  row("fc00::/7", "unique-local"),
  row("fe80::/10", "link-local"),
  row("ff00::/8", "multicast"),
  row("100::/64", "reserved"),
  row("2001:2::/48", "benchmarking"),
  row("2001::/23", "protocol"),
  row("2001:db8::/32", "documentation"),
  row("3fff::/20", "documentation"),
];

/** Global unicast: what else there is of IPv6 has been given to nobody yet (RFC 4291 §2.4). */
const GLOBAL_UNICAST = row("2000::/3", "public")[0];
/** A translator sends these to the IPv4 address at their end (RFC 6052 §2.1). */
const NAT64 = row("64:ff9b::/96", "public")[0];
/** How an IPv6 address carries IPv4 addresses: where, how far from the right, inverted or not. */
const CARRIERS: readonly {
  readonly prefix: IpPrefix;
  readonly shift: bigint;
  readonly inverted?: true;
}[] = [
  // IPv4-compatible (RFC 4291 §2.5.5.1); mapped addresses are IPv4 once they are parsed.
  { prefix: row("::/96", "reserved")[0], shift: 0n },
  { prefix: NAT64, shift: 0n },
  // 6to4 (RFC 3056 §2).
  { prefix: row("2002::/16", "public")[0], shift: 80n },
  // Teredo: the server, and the client with all bits inverted (RFC 4380 §4).
  { prefix: row("2001::/32", "protocol")[0], shift: 64n },
  { prefix: row("2001::/32", "protocol")[0], shift: 0n, inverted: true },
];

/** The prefixes within which all addresses are of one kind, unless they carry others. */
export const ADDRESS_BLOCKS: readonly IpPrefix[] = [
  ...SPECIAL.map(([prefix]) => prefix),
  row("0.0.0.0/0", "public")[0],
  row("::/0", "reserved")[0],
  GLOBAL_UNICAST,
];

/**
 * What `address` is for. An IPv6 address that carries an IPv4 address which is not public is what that
 * one is: whoever connects to it may end there.
 */
export function addressKind(address: IpAddress): AddressKind {
  for (const [prefix, kind] of SPECIAL) {
    if (prefixHolds(prefix, address)) return kind;
  }
  for (const carried of carriedIpv4(address)) {
    const kind = addressKind(carried);
    if (kind !== "public") return kind;
  }
  if (address.family === 4) return "public";
  return prefixHolds(GLOBAL_UNICAST, address) || prefixHolds(NAT64, address)
    ? "public"
    : "reserved";
}

/** Whether `address` is one of those that everybody can reach: of IPv6 only what has been given out. */
export function isPublicAddress(address: IpAddress): boolean {
  return addressKind(address) === "public";
}

/** The IPv4 addresses that traffic to an IPv6 address may end at; none for most. */
export function carriedIpv4(address: IpAddress): IpAddress[] {
  const carried: IpAddress[] = [];
  for (const { prefix, shift, inverted } of CARRIERS) {
    if (!prefixHolds(prefix, address)) continue;
    const bits = address.value >> shift & 0xffffffffn;
    carried.push({ family: 4, value: inverted ? bits ^ 0xffffffffn : bits });
  }
  return carried;
}

function row(text: string, kind: AddressKind): Row {
  return [parseIpPrefix(text)!, kind];
}
