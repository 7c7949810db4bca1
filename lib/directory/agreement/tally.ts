import { compareBytes, sameBytes } from "../byte_order.ts";
import type { ConsensusBody, ConsensusRelay } from "../consensus_body.ts";
import { makeBody, RELAY_LIMIT } from "../consensus_body.ts";
import type { ConsensusTimes } from "../consensus_header.ts";
import type { RelayDescriptor } from "../descriptor.ts";
import {
  FLAG_EXIT,
  FLAG_GUARD,
  FLAG_MIDDLE_ONLY,
  FLAG_MIX,
  ROLE_MIDDLE_ONLY,
  ROLE_MIX,
} from "../relay_flags.ts";
import type { Vote, VoteEntry } from "./vote.ts";

/**
 * What the votes of one ballot amount to; the same for everybody who has the same votes. A relay is
 * listed if more than half of the votes list it, with the newest descriptor that any of those names;
 * times are medians.
 */
export interface Tally {
  /** The place and the times of the consensus. */
  readonly times: ConsensusTimes;
  /** The relays in it, ascending. */
  readonly entries: readonly VoteEntry[];
}

/**
 * Counts votes of one ballot, at least one.
 *
 * @param after `validAfter` of the consensus before, or -1: the next begins later.
 */
export function tally(votes: readonly Vote[], after: number): Tally {
  const [{ height, previous }] = votes as [Vote];
  const median = (of: (vote: Vote) => number) =>
    votes.map(of).toSorted((a, b) => a - b)[(votes.length - 1) >> 1]!;
  const validAfter = Math.max(median(({ time }) => time), after + 1);
  const interval = median((vote) => vote.interval);
  const lifetime = Math.max(median((vote) => vote.lifetime), interval);
  return {
    times: {
      height,
      previous,
      validAfter,
      freshUntil: validAfter + interval,
      validUntil: validAfter + lifetime,
    },
    entries: chosen(votes),
  };
}

/**
 * The body that a tally describes.
 *
 * @param descriptors by digest in hexadecimal.
 * @returns `undefined` if one is missing, or is not what the votes say of it.
 */
export async function bodyOf(
  { times, entries }: Tally,
  descriptors: ReadonlyMap<string, RelayDescriptor>,
): Promise<ConsensusBody | undefined> {
  const relays: ConsensusRelay[] = [];
  for (const entry of entries) {
    const descriptor = descriptors.get(entry.digest.toHex());
    if (descriptor === undefined || !describes(entry, descriptor)) {
      return undefined;
    }
    relays.push({ descriptor, flags: flagsOf(descriptor, entry.guard) });
  }
  return await makeBody(times, relays);
}

/** Whether a vote's entry says of a descriptor what is so. */
export function describes(
  entry: VoteEntry,
  { identity, publishedAt, digest }: RelayDescriptor,
): boolean {
  return sameBytes(entry.fingerprint, identity.fingerprint) &&
    sameBytes(entry.digest, digest) && entry.publishedAt === publishedAt;
}

function chosen(votes: readonly Vote[]): VoteEntry[] {
  const byRelay = new Map<string, VoteEntry[]>();
  for (const entry of votes.flatMap(({ entries }) => entries)) {
    const key = entry.fingerprint.toHex();
    const others = byRelay.get(key);
    if (others === undefined) byRelay.set(key, [entry]);
    else others.push(entry);
  }
  const listed = [...byRelay.values()]
    .filter((entries) => entries.length * 2 > votes.length)
    .map((entries) => ({
      ...entries.toSorted(byAge).at(-1)!,
      guard: entries.filter(({ guard }) => guard).length * 2 > entries.length,
    }));
  return listed
    .toSorted((a, b) => compareBytes(a.fingerprint, b.fingerprint))
    .slice(0, RELAY_LIMIT);
}

/** Of two made in one second any may count, if only it is the same one everywhere. */
function byAge(a: VoteEntry, b: VoteEntry): number {
  return a.publishedAt - b.publishedAt || compareBytes(a.digest, b.digest);
}

function flagsOf(descriptor: RelayDescriptor, guard: boolean): number {
  const { roles, policy } = descriptor;
  const mix = (roles & ROLE_MIX) === 0 ? 0 : FLAG_MIX;
  if ((roles & ROLE_MIDDLE_ONLY) !== 0) return mix | FLAG_MIDDLE_ONLY;
  return mix | (guard ? FLAG_GUARD : 0) | (policy.isExit ? FLAG_EXIT : 0);
}
