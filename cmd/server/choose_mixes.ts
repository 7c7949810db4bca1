import { FLAG_MIX } from "../../lib/directory/mod.ts";
import type { ConsensusRelay } from "../../lib/directory/mod.ts";
import { isPublicAddress, parseIpAddress } from "../../lib/net/mod.ts";

/** Addresses of one network have this many bits in common. */
const NETWORK_BITS = { 4: 16, 6: 32 } as const;

/** A number from 0 to below `limit`, each as likely as any other. */
export type Draw = (limit: number) => number;

/**
 * Chooses mixes by chance from a consensus: no two of one family (each names the other), and no two in
 * one IPv4 /16 or IPv6 /32 of public addresses. Those in `kept` come first, in that order, as long as
 * they are listed. May give fewer than `count` if there are no more.
 *
 * @param own fingerprint in hex of the server, which is in the chain already.
 * @param avoided fingerprints in hex of mixes that are taken only if there are no others.
 */
export function chooseMixes(
  relays: readonly ConsensusRelay[],
  count: number,
  options: {
    readonly own: string;
    readonly kept: readonly string[];
    readonly avoided: ReadonlySet<string>;
    readonly draw: Draw;
  },
): readonly ConsensusRelay[] {
  const { own, kept, avoided, draw } = options;
  const able = relays.filter((each) => isMix(each) && printOf(each) !== own);
  const isKept = (each: ConsensusRelay) => kept.includes(printOf(each));
  const isAvoided = (each: ConsensusRelay) => avoided.has(printOf(each));
  const wanted = able.filter((each) => !isAvoided(each));
  const order = [
    ...wanted.filter(isKept).sort((a, b) =>
      kept.indexOf(printOf(a)) - kept.indexOf(printOf(b))
    ),
    ...shuffled(wanted.filter((each) => !isKept(each)), draw),
    ...shuffled(able.filter(isAvoided), draw),
  ];
  const chosen: ConsensusRelay[] = [];
  for (const each of order) {
    if (chosen.length === count) break;
    if (chosen.every((other) => !areKin(each, other))) chosen.push(each);
  }
  return chosen;
}

/** Whether a relay is a mix, as the controllers say. */
export function isMix({ flags }: ConsensusRelay): boolean {
  return (flags & FLAG_MIX) !== 0;
}

/** The fingerprint of a relay in hex. */
export function printOf({ descriptor }: ConsensusRelay): string {
  return descriptor.identity.fingerprint.toHex();
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], draw: Draw): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = draw(i + 1);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}

function areKin(a: ConsensusRelay, b: ConsensusRelay): boolean {
  const network = networkOf(a);
  return network !== undefined && network === networkOf(b) ||
    names(a, b) && names(b, a);
}

function names({ descriptor }: ConsensusRelay, other: ConsensusRelay): boolean {
  return descriptor.family.some((each) => each.toHex() === printOf(other));
}

/** The first bits of a public address: private ones say nothing about who owns them. */
function networkOf({ descriptor }: ConsensusRelay): string | undefined {
  const address = parseIpAddress(descriptor.address.host);
  if (address === undefined || !isPublicAddress(address)) return undefined;
  const { family, value } = address;
  const width = family === 4 ? 32 : 128;
  return `${family} ${value >> BigInt(width - NETWORK_BITS[family])}`;
}
