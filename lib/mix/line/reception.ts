import type { Certificate } from "../../identity/mod.ts";
import type { HangUpReason } from "../conversation/conversation_event.ts";
import { isLower } from "../conversation/pair_secret.ts";
import { Direction } from "../conversation/round_seal.ts";
import type { Connector } from "./connector.ts";
import { LineError } from "./line_error.ts";
import type { Call, LineEvent } from "./line_event.ts";
import { CALL_LIMIT } from "./outgoing_call.ts";
import { RingingCalls } from "./ringing_calls.ts";
import type { RingingCall } from "./ringing_calls.ts";
import { beginTalk } from "./talk.ts";
import type { Talk } from "./talk.ts";
import type { Talks } from "./talks.ts";

/** What receiving calls needs. */
export interface ReceptionOptions {
  /** With whom one talks; answered calls become talks. */
  readonly talks: Talks;
  /** Makes one's own side of a conversation. */
  readonly connector: Connector;
  /** Id of one's own certificate, 32 bytes. */
  readonly ownId: Certificate["id"];
  /** So many conversations at once. */
  readonly slots: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of what happens. */
  readonly tell: (event: LineEvent) => void;
  /** Waits for what goes on beside. */
  readonly later: (work: Promise<void>) => void;
}

/** What becomes of the calls of others: they ring, are answered, turned away, or missed. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #ringing = new RingingCalls();

  /** Nobody has called. */
  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** The calls that wait to be accepted, the oldest first. */
  get ringing(): readonly Call[] {
    return this.#ringing.all;
  }

  /** Whether a call of that person waits to be accepted. */
  rings(address: string): boolean {
    return this.#ringing.get(address) !== undefined;
  }

  /** Whether calls of that person, dialed then, are known or done with. */
  isSettled(address: string, dialedAt: number): boolean {
    return this.#ringing.isSettled(address, dialedAt);
  }

  /** What that person dialed until then is done with. */
  settle(address: string, until: number): void {
    this.#ringing.settle(address, until);
  }

  /**
   * Answers a call that rings.
   *
   * @throws {LineError} `ERR_LINE_BUSY`, `ERR_LINE_NOBODY`.
   */
  accept(address: string): void {
    const { talks } = this.#options;
    const { certificate, dialedAt } = this.#needed(address);
    this.refuseIfFull(address);
    this.settle(address, dialedAt);
    const talk = talks.get(address);
    if (talk !== undefined) talks.end(talk, "called anew");
    this.#answer(certificate, dialedAt);
  }

  /**
   * Tells somebody whose call rings that one does not want to talk.
   *
   * @throws {LineError} `ERR_LINE_NOBODY`.
   */
  refuse(address: string): void {
    const { certificate, dialedAt } = this.#needed(address);
    this.settle(address, dialedAt);
    this.#turnAway(certificate, dialedAt, "refused");
  }

  /**
   * Makes sure that there is room for a conversation with that person.
   *
   * @throws {LineError} `ERR_LINE_BUSY`
   */
  refuseIfFull(address: string): void {
    if (this.#hasRoom(address)) return;
    throw new LineError(
      "ERR_LINE_BUSY",
      `Cannot begin a conversation: there are ${this.#options.slots} already`,
    );
  }

  /** A token of that person is in the filter of the dialing round that started then. */
  rang(certificate: Certificate, dialedAt: number): void {
    const { address, id } = certificate;
    if (this.isSettled(address, dialedAt)) return;
    const { talks, ownId, now, tell } = this.#options;
    const call = { address, dialedAt };
    if (now() - dialedAt >= CALL_LIMIT) {
      const isNews = this.#ringing.miss(address, dialedAt);
      if (isNews) tell({ kind: "missed", call, busy: false });
      return;
    }
    const talk = talks.get(address);
    const refusal = talks.partings.refusalOf(address);
    if (talk?.stage === "calling") {
      // Both call: the call of the one with the lower id counts, if it has been made.
      if (talk.call?.hasLeft && isLower(ownId, id)) return;
      this.#replace(talk, dialedAt);
    } else if (talk?.stage === "answering") {
      // They dialed again before they could know that they are answered.
      if (dialedAt > talk.dialedAt) this.#replace(talk, dialedAt);
    } else if (refusal !== undefined) {
      this.#turnAway(certificate, dialedAt, refusal);
    } else if (talk === undefined && !this.#hasRoom(address)) {
      this.settle(address, dialedAt);
      this.#turnAway(certificate, dialedAt, "busy");
      tell({ kind: "missed", call, busy: true });
    } else if (this.#ringing.ring(certificate, dialedAt)) {
      tell({ kind: "ringing", call });
    }
  }

  /** Calls that have become too old ring no longer. */
  lapse(): void {
    const { now, tell } = this.#options;
    for (const call of this.#ringing.lapse(now())) {
      tell({ kind: "missed", call, busy: false });
    }
  }

  #needed(address: string): RingingCall {
    const ringing = this.#ringing.get(address);
    if (ringing !== undefined) return ringing;
    throw new LineError(
      "ERR_LINE_NOBODY",
      "Cannot do that: no call of theirs rings",
    );
  }

  #hasRoom(address: string): boolean {
    const { talks, slots } = this.#options;
    return talks.count(address) < slots;
  }

  /** Begins to answer in place of what was between the two. */
  #replace(talk: Talk, dialedAt: number): void {
    this.#options.talks.discard(talk);
    this.settle(talk.certificate.address, dialedAt);
    this.#answer(talk.certificate, dialedAt);
  }

  #answer(certificate: Certificate, dialedAt: number): void {
    const { talks, connector, now, later } = this.#options;
    const talk = beginTalk(certificate, now(), dialedAt);
    talks.add(talk);
    const made = connector.connect(certificate, dialedAt, Direction.CALLEE);
    later(made.then((connection) => {
      if (talks.stands(talk)) talks.attach(talk, connection);
    }));
  }

  /** Goes where the call leads only to say why one does not talk. */
  #turnAway(
    certificate: Certificate,
    dialedAt: number,
    reason: Exclude<HangUpReason, "bye">,
  ): void {
    const { talks, connector, later } = this.#options;
    const made = connector
      .connect(certificate, dialedAt, Direction.CALLEE, reason);
    later(made.then((connection) => {
      talks.partings.add(certificate.address, connection, reason);
    }));
  }
}
