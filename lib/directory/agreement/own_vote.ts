import { compareBytes } from "../byte_order.ts";
import { NO_CONSENSUS } from "../consensus_header.ts";
import type { Question } from "./justification.ts";
import type { AgreementMessage } from "./message.ts";
import type { AgreementOptions } from "./output.ts";
import type { Accepted } from "./standing.ts";
import { signVote } from "./vote.ts";

/** Our vote in a ballot: the relays that we hold to be running, and what we have announced before. */
export async function ownVote(
  { keyring, interval, lifetime, candidates }: AgreementOptions,
  { height, previous }: Question,
  ballot: number,
  accepted: Accepted | undefined,
  now: number,
): Promise<AgreementMessage> {
  const running = candidates().toSorted((a, b) =>
    compareBytes(
      a.descriptor.identity.fingerprint,
      b.descriptor.identity.fingerprint,
    )
  );
  const vote = await signVote({
    height,
    previous,
    ballot,
    time: Math.floor(now / 1_000),
    interval,
    lifetime,
    acceptedBallot: accepted?.ballot ?? 0,
    acceptedHash: accepted?.body.hash ?? NO_CONSENSUS,
    entries: running.map(({ descriptor, guard }) => ({
      fingerprint: descriptor.identity.fingerprint,
      publishedAt: descriptor.publishedAt,
      digest: descriptor.digest,
      guard,
    })),
  }, keyring);
  return {
    kind: "vote",
    vote,
    descriptors: running.map(({ descriptor }) => descriptor.bytes),
    accepted: accepted && { votes: accepted.votes, body: accepted.body.body },
  };
}
