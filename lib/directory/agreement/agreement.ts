import { parseNodeCertificate } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { compareBytes, sameBytes } from "../byte_order.ts";
import { isSigned, joinConsensus, signConsensus } from "../consensus.ts";
import type { Consensus } from "../consensus.ts";
import { descriptorsOf } from "../consensus_body.ts";
import type { ConsensusBody } from "../consensus_body.ts";
import { NO_CONSENSUS } from "../consensus_header.ts";
import type { RelayDescriptor } from "../descriptor.ts";
import { Turns } from "./turns.ts";
import { proposedBody } from "./justification.ts";
import type { Question } from "./justification.ts";
import { Leadership } from "./leadership.ts";
import type { AgreementMessage } from "./message.ts";
import { ownVote } from "./own_vote.ts";
import type { AgreementOptions, Offence, Output } from "./output.ts";
import type { Standing } from "./standing.ts";
import { freshStanding } from "./standing.ts";
import { Witness } from "./witness.ts";

/** A validAfter this far from the clock here is not agreed to, in seconds. */
const CLOCK_TOLERANCE = 300;

/**
 * How controllers agree on the next consensus: single-decree Paxos for each height, in which what is
 * proposed follows from signed votes. A leader collects votes, and proposes the body that they amount
 * to; whoever finds it right announces it, and signs it once a quorum has announced it in one ballot.
 * Since any two quorums share a controller, and a leader must propose again what a voter has
 * announced before, no two bodies of a height ever reach that point, whatever is lost or crashes in
 * between; and nobody is left bound to a body that the others cannot sign.
 *
 * No sockets, no timers, no clock: `now` is in milliseconds since 1970. One call at a time.
 */
export class Agreement {
  readonly #options: AgreementOptions;
  readonly #order: readonly Bytes[];
  readonly #self: Bytes;
  readonly #turns: Turns;
  #head: Consensus | undefined;
  #standing: Standing;
  #leading: Leadership | undefined;
  #led = -1;
  #beganAt: number | undefined;
  #repeatAt = 0;
  #witness: Witness;
  #outputs: Output[] = [];
  #inbox: AgreementMessage[] = [];

  /** `kept` is the last state that was to be kept, `head` the consensus at the end of the chain. */
  constructor(
    options: AgreementOptions,
    head: Consensus | undefined,
    kept: Standing | undefined,
  ) {
    this.#options = options;
    this.#self = options.keyring.certificate.fingerprint;
    this.#order = options.network.controllers
      .map(({ fingerprint }) => fingerprint!).toSorted(compareBytes);
    this.#turns = new Turns(this.#order.length, options.interval);
    this.#head = head;
    this.#witness = new Witness(options.network.quorum);
    this.#standing = kept !== undefined && kept.height >= this.#height
      ? kept
      : freshStanding(this.#height);
  }

  /** The consensus at the end of the chain. */
  get head(): Consensus | undefined {
    return this.#head;
  }

  /**
   * Whether the end of the chain is missing here: something of a later height was agreed to before.
   * Until it is fetched, nothing can be agreed to.
   */
  get isBehind(): boolean {
    return this.#standing.height > this.#height;
  }

  /**
   * Lets time go on; to be called several times in a turn.
   *
   * @param changed whether the running relays are others than in the head.
   */
  async tick(now: number, changed: boolean): Promise<Output[]> {
    this.#beganAt ??= now;
    if (!this.isBehind) {
      await this.#repeat(now);
      await this.#proposeIfReady(now);
      if (now >= (this.#leading?.until ?? now)) this.#leading = undefined;
      if (this.#leading === undefined && this.#isWanted(now, changed)) {
        this.#lead(now);
      }
    }
    return await this.#drain(now);
  }

  /**
   * Takes what another controller has said, who has proved to be it.
   *
   * @throws {MalformedError} if something in it does not parse, or a signature in it does not match.
   */
  async receive(
    from: Bytes,
    message: AgreementMessage,
    now: number,
  ): Promise<Output[]> {
    await this.#take(from, message, now);
    return await this.#drain(now);
  }

  /** Goes on from a consensus that was fetched, and that descends from the head. */
  advance(consensus: Consensus): void {
    if (this.#head !== undefined && consensus.height <= this.#head.height) {
      return;
    }
    this.#head = consensus;
    if (this.#standing.height < this.#height) {
      this.#standing = freshStanding(this.#height);
    }
    this.#leading = undefined;
    this.#witness = new Witness(this.#options.network.quorum);
  }

  /** The height that is worked on. */
  get #height(): number {
    return (this.#head?.height ?? 0) + 1;
  }

  get #question(): Question {
    return {
      height: this.#height,
      previous: this.#head?.hash ?? NO_CONSENSUS,
      after: this.#head?.validAfter ?? -1,
    };
  }

  #isWanted(now: number, changed: boolean): boolean {
    if (this.#standing.accepted !== undefined) return true;
    const interval = this.#options.interval * 1_000;
    if (this.#head === undefined) {
      return now >= this.#beganAt! + interval ||
        this.#options.candidates().length > 0;
    }
    const since = this.#head.validAfter * 1_000;
    if (Math.floor(now / interval) > Math.floor(since / interval)) return true;
    // Alone one can be quick; its validAfter must not run ahead of the clock for that.
    return changed && this.#order.length === 1 && since <= now + 2_000;
  }

  #lead(now: number): void {
    const place = this.#turns.leader(this.#height, now);
    const turn = this.#turns.at(now);
    if (!sameBytes(this.#order[place]!, this.#self)) return;
    if (turn === this.#led && this.#order.length > 1) return;
    this.#led = turn;
    const { promised } = this.#standing;
    const ballot = this.#turns.ballot(this.#height, now, promised);
    const question = this.#question;
    this.#leading = new Leadership(
      this.#options.network,
      question,
      ballot,
      now + this.#turns.length / 3,
    );
    const { height, previous } = question;
    this.#send({ kind: "collect", height, previous, ballot });
  }

  async #take(
    from: Bytes,
    message: AgreementMessage,
    now: number,
  ): Promise<void> {
    const height = message.kind === "vote"
      ? message.vote.height
      : message.height;
    if (message.kind === "standing") {
      if (height > this.#height) this.#behind(from, height - 1);
      return;
    }
    if (height > this.#height) return this.#behind(from, height - 1);
    if (this.isBehind) return;
    if (height < this.#height) return this.#stand(from);
    switch (message.kind) {
      case "collect":
        return await this.#collect(from, message, now);
      case "vote":
        return await this.#receiveVote(from, message, now);
      case "propose":
        return await this.#accept(from, message, now);
      case "announce":
        return await this.#hear(from, message);
      case "signature":
        return await this.#sum(from, message);
    }
  }

  async #collect(
    from: Bytes,
    { ballot, previous }: Extract<AgreementMessage, { kind: "collect" }>,
    now: number,
  ): Promise<void> {
    const question = this.#question;
    if (!sameBytes(previous, question.previous)) {
      return this.#catch(from, "another-chain");
    }
    if (!this.#owns(from, ballot, now)) return;
    if (ballot <= this.#standing.promised) return;
    // Whoever leads alone has looked at the time already; others must not hurry us.
    const half = this.#options.interval * 500;
    if (
      this.#order.length > 1 && this.#head !== undefined &&
      now < this.#head.validAfter * 1_000 + half
    ) return;
    this.#keep({ ...this.#standing, promised: ballot });
    const { accepted } = this.#standing;
    const vote = ownVote(this.#options, question, ballot, accepted, now);
    this.#send(await vote, from);
  }

  async #receiveVote(
    from: Bytes,
    message: Extract<AgreementMessage, { kind: "vote" }>,
    now: number,
  ): Promise<void> {
    const offence = await this.#leading?.add(from, message, this.#known());
    if (offence !== undefined) return this.#catch(from, offence);
    await this.#proposeIfReady(now);
  }

  async #proposeIfReady(now: number): Promise<void> {
    if (this.#leading?.isReady(now) !== true) return;
    const proposal = await this.#leading.proposal();
    this.#leading = undefined;
    if (proposal !== undefined) this.#send(proposal);
  }

  async #accept(
    from: Bytes,
    message: Extract<AgreementMessage, { kind: "propose" }>,
    now: number,
  ): Promise<void> {
    const { ballot, proposal } = message;
    const { promised, accepted, signed } = this.#standing;
    if (!this.#owns(from, ballot, now) || ballot < promised) return;
    if (accepted?.ballot === ballot) return;
    const body = await proposedBody(
      message,
      this.#options.network,
      this.#question,
      this.#known(),
    );
    if (body === undefined) return this.#catch(from, "invalid-proposal");
    // A leader that has its votes by honest means never gets here: see the class.
    if (signed && !sameBytes(body.hash, accepted!.body.hash)) return;
    const fresh = proposal.votes.length === 0;
    const late = Math.abs(body.validAfter - now / 1_000);
    if (fresh && late > CLOCK_TOLERANCE) return;
    const votes = fresh ? message.votes : proposal.votes;
    this.#keep({
      height: this.#height,
      promised: ballot,
      accepted: { ballot, body, votes },
      signed,
    });
    this.#repeatAt = now + this.#turns.length;
    this.#announce();
    if (signed) await this.#showSignature(body);
  }

  async #hear(
    from: Bytes,
    { ballot, hash }: Extract<AgreementMessage, { kind: "announce" }>,
  ): Promise<void> {
    if (!this.#witness.announce(from, ballot, hash)) {
      return this.#catch(from, "two-announcements");
    }
    await this.#signIfChosen();
  }

  async #signIfChosen(): Promise<void> {
    const { accepted, signed } = this.#standing;
    if (accepted === undefined || signed) return;
    if (!this.#witness.isChosen(accepted.body.hash)) return;
    this.#keep({ ...this.#standing, signed: true });
    await this.#showSignature(accepted.body);
  }

  async #sum(
    from: Bytes,
    message: Extract<AgreementMessage, { kind: "signature" }>,
  ): Promise<void> {
    const { hash, signature } = message;
    const controller = await parseNodeCertificate(message.certificate);
    if (!sameBytes(controller.fingerprint, from)) return;
    if (!await isSigned(hash, { controller, signature })) {
      throw new MalformedError("Cannot count a signature: it does not match");
    }
    if (!this.#witness.sign({ controller, signature }, hash)) {
      return this.#catch(from, "two-signatures");
    }
    const { accepted } = this.#standing;
    const signatures = this.#witness.signatures(hash);
    if (signatures === undefined) return;
    if (accepted === undefined || !sameBytes(accepted.body.hash, hash)) {
      return this.#behind(from, this.#height);
    }
    const consensus = joinConsensus(accepted.body, signatures);
    this.#outputs.push({ kind: "publish", consensus });
    this.advance(consensus);
  }

  async #showSignature(body: ConsensusBody): Promise<void> {
    const { keyring } = this.#options;
    const { signature } = await signConsensus(body.hash, keyring);
    this.#send({
      kind: "signature",
      height: body.height,
      hash: body.hash,
      certificate: keyring.certificate.bytes,
      signature,
    });
  }

  #announce(): void {
    const { ballot, body } = this.#standing.accepted!;
    const { height, hash } = body;
    this.#send({ kind: "announce", height, ballot, hash });
  }

  /** What was said may have been lost, or not have been said before a crash. */
  async #repeat(now: number): Promise<void> {
    const { accepted, signed } = this.#standing;
    if (accepted === undefined || now < this.#repeatAt) return;
    this.#repeatAt = now + this.#turns.length;
    this.#announce();
    if (signed) await this.#showSignature(accepted.body);
  }

  #stand(to: Bytes): void {
    this.#send({ kind: "standing", height: this.#height }, to);
  }

  #owns(controller: Bytes, ballot: number, now: number): boolean {
    const place = this.#turns.owner(ballot, this.#height, now);
    return place !== undefined && sameBytes(this.#order[place]!, controller);
  }

  #known(): Map<string, RelayDescriptor> {
    const known = new Map(
      this.#head === undefined ? [] : descriptorsOf(this.#head),
    );
    for (const { descriptor } of this.#options.candidates()) {
      known.set(descriptor.digest.toHex(), descriptor);
    }
    return known;
  }

  #keep(standing: Standing): void {
    this.#standing = standing;
    // Nobody has heard of the one before yet.
    if (this.#outputs.at(-1)?.kind === "keep") this.#outputs.pop();
    this.#outputs.push({ kind: "keep", standing });
  }

  #behind(controller: Bytes, height: number): void {
    this.#outputs.push({ kind: "behind", controller, height });
  }

  #catch(controller: Bytes, offence: Offence): void {
    this.#outputs.push({ kind: "caught", controller, offence });
  }

  /** To `to`, or to everybody; what is for ourselves is taken before anything else happens. */
  #send(message: AgreementMessage, to?: Bytes): void {
    const own = to !== undefined && sameBytes(to, this.#self);
    if (!own && this.#order.length > 1) {
      this.#outputs.push({ kind: "send", to, message });
    }
    if (own || to === undefined) this.#inbox.push(message);
  }

  async #drain(now: number): Promise<Output[]> {
    for (;;) {
      const message = this.#inbox.shift();
      if (message === undefined) break;
      await this.#take(this.#self, message, now);
    }
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }
}
