import type { Bytes } from "../../protocol/mod.ts";
import { sameBytes } from "../byte_order.ts";
import type { ConsensusBody, KnownDescriptors } from "../consensus_body.ts";
import { descriptorsOf, parseBody } from "../consensus_body.ts";
import type { Network } from "../network.ts";
import { controllerIndex } from "../network.ts";
import type { AgreementMessage, Justified } from "./message.ts";
import { bodyOf, tally } from "./tally.ts";
import type { UncheckedVote, Vote } from "./vote.ts";
import { checkVote } from "./vote.ts";

/** What votes must be about to count. */
export interface Question {
  /** Height of the consensus to be made. */
  readonly height: number;
  /** Hash of the consensus before. */
  readonly previous: Bytes;
  /** `validAfter` of the consensus before, or -1. */
  readonly after: number;
}

/** Whether a vote is about this height, on this chain. */
export function concerns(
  { height, previous }: UncheckedVote,
  question: Question,
): boolean {
  return height === question.height && sameBytes(previous, question.previous);
}

/**
 * The votes with their signatures verified, or `undefined` unless they are a quorum of distinct
 * controllers, all in one ballot, all about this question.
 *
 * @throws {MalformedError} if a signature does not match.
 */
export async function checkVotes(
  votes: readonly UncheckedVote[],
  network: Network,
  question: Question,
): Promise<readonly Vote[] | undefined> {
  const ballot = votes[0]?.ballot;
  if (
    votes.length < network.quorum ||
    !votes.every((v) => v.ballot === ballot && concerns(v, question))
  ) return undefined;
  const checked = await Promise.all(votes.map(checkVote));
  const places = checked.map((v) =>
    controllerIndex(network, v.voter.fingerprint)
  );
  if (places.includes(-1) || new Set(places).size < places.length) {
    return undefined;
  }
  return checked;
}

/**
 * The body of a proposal if it is what its votes amount to, nobody among the voters having announced
 * another before.
 *
 * @throws {MalformedError} if something in it does not parse or a signature does not match.
 */
export async function justifiedBody(
  { votes, body }: Justified,
  network: Network,
  question: Question,
  known: KnownDescriptors,
): Promise<ConsensusBody | undefined> {
  const checked = await checkVotes(votes, network, question);
  if (checked === undefined || checked.some((v) => v.acceptedBallot > 0)) {
    return undefined;
  }
  const parsed = await parseBody(body, known);
  const expected = await bodyOf(
    tally(checked, question.after),
    descriptorsOf(parsed),
  );
  return expected !== undefined && sameBytes(expected.hash, parsed.hash)
    ? parsed
    : undefined;
}

/**
 * The body that a leader proposes, if with these votes it may: that which a voter has announced in the
 * highest ballot before, or what the votes amount to if nobody has announced any.
 *
 * @throws {MalformedError} if something in it does not parse or a signature does not match.
 */
export async function proposedBody(
  { ballot, votes, proposal }: Extract<AgreementMessage, { kind: "propose" }>,
  network: Network,
  question: Question,
  known: KnownDescriptors,
): Promise<ConsensusBody | undefined> {
  const checked = await checkVotes(votes, network, question);
  if (checked === undefined || checked[0]!.ballot !== ballot) return undefined;
  const highest = checked.toSorted((a, b) =>
    a.acceptedBallot - b.acceptedBallot
  ).at(-1)!;
  if (highest.acceptedBallot === 0) {
    const fresh = { votes, body: proposal.body };
    return await justifiedBody(fresh, network, question, known);
  }
  const body = await justifiedBody(proposal, network, question, known);
  return body !== undefined && sameBytes(body.hash, highest.acceptedHash)
    ? body
    : undefined;
}
