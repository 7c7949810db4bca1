import type { Bytes } from "../../protocol/mod.ts";
import { sameBytes } from "../byte_order.ts";
import type { KnownDescriptors } from "../consensus_body.ts";
import type { RelayDescriptor } from "../descriptor.ts";
import { parseDescriptors } from "../descriptor_list.ts";
import type { Network } from "../network.ts";
import type { Question } from "./justification.ts";
import { concerns, justifiedBody } from "./justification.ts";
import type { AgreementMessage } from "./message.ts";
import type { Offence } from "./output.ts";
import type { Accepted } from "./standing.ts";
import { bodyOf, describes, tally } from "./tally.ts";
import type { Vote } from "./vote.ts";
import { checkVote } from "./vote.ts";

type VoteMessage = Extract<AgreementMessage, { kind: "vote" }>;

interface Received {
  readonly vote: Vote;
  /** What the voter has announced in an earlier ballot. */
  readonly accepted: Accepted | undefined;
}

/** One ballot, as its leader sees it: the votes that have come, and what they amount to. */
export class Leadership {
  /** The number of the ballot. */
  readonly ballot: number;
  /** When votes that have not come are waited for no longer, in milliseconds since 1970. */
  readonly until: number;
  readonly #network: Network;
  readonly #question: Question;
  readonly #votes = new Map<string, Received>();
  readonly #descriptors = new Map<string, RelayDescriptor>();

  /** A ballot in which nobody has voted yet. */
  constructor(
    network: Network,
    question: Question,
    ballot: number,
    until: number,
  ) {
    this.#network = network;
    this.#question = question;
    this.ballot = ballot;
    this.until = until;
  }

  /** Whether it can be proposed what the votes amount to: all have voted, or enough for that time. */
  isReady(now: number): boolean {
    const { controllers, quorum } = this.#network;
    return this.#votes.size === controllers.length ||
      this.#votes.size >= quorum && now >= this.until;
  }

  /**
   * Counts a vote in, unless it is not one that an honest controller gives.
   *
   * @throws {MalformedError} if something in it does not parse, or a signature does not match.
   */
  async add(
    from: Bytes,
    message: VoteMessage,
    known: KnownDescriptors,
  ): Promise<Offence | undefined> {
    if (message.vote.ballot !== this.ballot) return undefined;
    const vote = await checkVote(message.vote);
    if (!sameBytes(vote.voter.fingerprint, from)) return "invalid-vote";
    const before = this.#votes.get(from.toHex());
    if (before !== undefined) {
      return sameBytes(before.vote.bytes, vote.bytes) ? undefined : "two-votes";
    }
    const descriptors = await parseDescriptors(message.descriptors, known);
    const accepted = await this.#acceptedBy(message, known);
    if (
      !concerns(vote, this.#question) ||
      (accepted === undefined) !== (vote.acceptedBallot === 0) ||
      !vote.entries.every((entry) => {
        const descriptor = descriptors.get(entry.digest.toHex());
        return descriptor !== undefined && describes(entry, descriptor);
      })
    ) return "invalid-vote";
    for (const [digest, each] of descriptors) {
      this.#descriptors.set(digest, each);
    }
    this.#votes.set(from.toHex(), { vote, accepted });
    return undefined;
  }

  /** The message that proposes what the votes amount to, or what a voter has announced before. */
  async proposal(): Promise<AgreementMessage | undefined> {
    const received = [...this.#votes.values()];
    const earlier = received.map(({ accepted }) => accepted)
      .filter((each) => each !== undefined)
      .toSorted((a, b) => a.ballot - b.ballot).at(-1);
    const votes = received.map(({ vote }) => vote);
    const body = earlier?.body ??
      await bodyOf(tally(votes, this.#question.after), this.#descriptors);
    return body && {
      kind: "propose",
      height: this.#question.height,
      ballot: this.ballot,
      votes,
      proposal: { body: body.body, votes: earlier?.votes ?? [] },
    };
  }

  /** What a voter has announced before, if it is what the vote says and follows from votes. */
  async #acceptedBy(
    { vote, accepted }: VoteMessage,
    known: KnownDescriptors,
  ): Promise<Accepted | undefined> {
    if (accepted === undefined) return undefined;
    const body = await justifiedBody(
      accepted,
      this.#network,
      this.#question,
      known,
    );
    return body !== undefined && sameBytes(body.hash, vote.acceptedHash)
      ? { ballot: vote.acceptedBallot, body, votes: accepted.votes }
      : undefined;
  }
}
