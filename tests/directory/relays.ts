import {
  FLAG_EXIT,
  makeBody,
  NO_CONSENSUS,
  signDescriptor,
} from "../../lib/directory/mod.ts";
import { joinConsensus, signConsensus } from "../../lib/directory/consensus.ts";
import type { Consensus } from "../../lib/directory/consensus.ts";
import type {
  ConsensusBody,
  ConsensusRelay,
} from "../../lib/directory/consensus_body.ts";
import type { ConsensusTimes } from "../../lib/directory/consensus_header.ts";
import type {
  DescriptorFields,
  Network,
  RelayDescriptor,
} from "../../lib/directory/mod.ts";
import { compareBytes } from "../../lib/directory/byte_order.ts";
import { ExitPolicy } from "../../lib/directory/exit_policy.ts";
import { networkOf } from "../../lib/directory/network.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import { freshNodeKeyring, TEST_TIME } from "../support/keyrings.ts";

/** When everything in these tests happens, in seconds since 1970. */
export const NOW = TEST_TIME;

/** Fields of a descriptor, with those of `some` in place of what is usual. */
export function fields(
  some: Partial<DescriptorFields> = {},
): DescriptorFields {
  return {
    onionKey: randomBytes(32),
    address: { host: "192.0.2.7", port: 7607 },
    policy: ExitPolicy.WEB,
    bandwidth: 1_000_000,
    family: [],
    roles: 0,
    version: "sotto-0.1.0",
    publishedAt: NOW,
    ...some,
  };
}

/** A descriptor of a relay of its own, or of `keyring`. */
export async function relay(
  some: Partial<DescriptorFields> = {},
  keyring?: NodeKeyring,
): Promise<RelayDescriptor> {
  return await signDescriptor(
    fields(some),
    keyring ?? await freshNodeKeyring(),
  );
}

/** `count` relays, ascending by fingerprint, as they stand in a consensus. */
export async function relays(count: number): Promise<ConsensusRelay[]> {
  const all = await Promise.all(Array.from({ length: count }, () => relay()));
  return all
    .toSorted((a, b) =>
      compareBytes(a.identity.fingerprint, b.identity.fingerprint)
    )
    .map((descriptor) => ({ descriptor, flags: FLAG_EXIT }));
}

/** Controllers, and the network that they are. */
export interface Controllers {
  readonly keyrings: readonly NodeKeyring[];
  readonly network: Network;
}

/** `count` controllers. */
export async function controllers(
  count: number,
  quorum?: number,
): Promise<Controllers> {
  const keyrings = await Promise.all(
    Array.from({ length: count }, () => freshNodeKeyring()),
  );
  const network = networkOf(
    keyrings.map(({ certificate: { fingerprint } }, i) => ({
      host: `controller-${i}`,
      port: 7607,
      fingerprint,
    })),
    quorum,
  );
  return { keyrings, network };
}

/** Times of the first consensus, valid for three hours from NOW on. */
export function times(some: Partial<ConsensusTimes> = {}): ConsensusTimes {
  return {
    height: 1,
    previous: NO_CONSENSUS,
    validAfter: NOW,
    freshUntil: NOW + 300,
    validUntil: NOW + 10_800,
    ...some,
  };
}

/** `body` with the signatures of these. */
export async function signedBy(
  body: ConsensusBody,
  keyrings: readonly NodeKeyring[],
): Promise<Consensus> {
  return joinConsensus(
    body,
    await Promise.all(keyrings.map((each) => signConsensus(body.hash, each))),
  );
}

/** A consensus of these relays, signed by all. */
export async function consensus(
  { keyrings }: Controllers,
  entries: readonly ConsensusRelay[],
  some: Partial<ConsensusTimes> = {},
): Promise<Consensus> {
  return await signedBy(await makeBody(times(some), entries), keyrings);
}

/** The consensus that follows `head`. */
export async function next(
  by: Controllers,
  head: ConsensusBody,
  entries: readonly ConsensusRelay[] = head.relays,
): Promise<Consensus> {
  return await consensus(by, entries, {
    height: head.height + 1,
    previous: head.hash,
    validAfter: head.validAfter + 300,
    freshUntil: head.freshUntil + 300,
    validUntil: head.validUntil + 300,
  });
}
