import type { ConversationEvent } from "../conversation/conversation_event.ts";
import { forget } from "./connector.ts";
import type { Connection } from "./connector.ts";
import type { LineEvent, TalkEnd } from "./line_event.ts";
import { Partings } from "./partings.ts";
import type { Talk } from "./talk.ts";

/** Whoever has accepted a call waits so many milliseconds for the caller. */
const ANSWER_LIMIT = 120_000;

/** With whom one talks, calls included, at most one talk with each person, and what comes of it. */
export class Talks {
  /** Conversations that are over for the user. */
  readonly partings: Partings;
  readonly #held = new Map<string, Talk>();
  readonly #tell: (event: LineEvent) => void;
  readonly #onMeeting: (address: string, round: number) => void;

  /**
   * @param tell told of what happens.
   * @param onMeeting told of every round in which that person was there.
   */
  constructor(
    tell: (event: LineEvent) => void,
    onMeeting: (address: string, round: number) => void,
  ) {
    this.#tell = tell;
    this.#onMeeting = onMeeting;
    this.partings = new Partings(tell, onMeeting);
  }

  /** All, in the order in which they began. */
  get all(): readonly Talk[] {
    return [...this.#held.values()];
  }

  /** All that take part in rounds, those that part included. */
  get connections(): Connection[] {
    return [
      ...this.all.map(({ connection }) => connection),
      ...this.partings.connections,
    ].filter((connection) => connection !== undefined);
  }

  /** The talk with that person. */
  get(address: string): Talk | undefined {
    return this.#held.get(address);
  }

  /** How many there are that go on, that with `except` left out. */
  count(except: string): number {
    return this.all.filter(({ stage, certificate }) =>
      stage !== "leaving" && certificate.address !== except
    ).length;
  }

  /** Whom to dial in the dialing round that starts then, first the one whose last time is longest ago. */
  due(start: number): readonly Talk[] {
    const last = ({ call }: Talk): number => call?.dialedAt ?? -Infinity;
    return this.all.filter(({ call }) => call?.isDue(start))
      .toSorted((a, b) => last(a) < last(b) ? -1 : 1);
  }

  /** Whether it has neither ended nor been replaced. */
  stands(talk: Talk): boolean {
    return this.#held.get(talk.certificate.address) === talk;
  }

  /** Begins a talk, if there is none with that person. */
  add(talk: Talk): void {
    this.#held.set(talk.certificate.address, talk);
  }

  /** From now on the talk goes over this connection. */
  attach(talk: Talk, connection: Connection): void {
    forget(talk.connection);
    talk.connection = connection;
    connection.listener = (event) => this.#happened(talk, connection, event);
  }

  /** What has become too old ends. */
  lapse(now: number): void {
    for (const talk of this.all) {
      if (talk.stage === "calling" && talk.call?.isOver(now)) {
        this.giveUp(talk);
      }
      if (talk.stage === "answering" && now - talk.since >= ANSWER_LIMIT) {
        this.end(talk, "nobody there");
      }
    }
  }

  /** Calls no longer: nobody answers. */
  giveUp(talk: Talk): void {
    this.discard(talk);
    this.#tell({ kind: "unanswered", address: talk.certificate.address });
  }

  /** Ends a talk at once, without a word to the other side. */
  end(talk: Talk, reason: TalkEnd): void {
    this.discard(talk);
    this.#ended(talk, reason);
  }

  /** Forgets a talk that another takes the place of. */
  discard(talk: Talk): void {
    this.#held.delete(talk.certificate.address);
    forget(talk.connection);
  }

  #happened(
    talk: Talk,
    connection: Connection,
    event: ConversationEvent,
  ): void {
    const { address } = talk.certificate;
    switch (event.kind) {
      case "met":
        talk.stage = "talking";
        talk.call = undefined;
        return this.#tell({ kind: "answered", address });
      case "hung up":
        this.#held.delete(address);
        this.partings.add(address, connection);
        return event.reason === "bye"
          ? this.#ended(talk, "left by peer")
          : this.#tell({ kind: "refused", address, reason: event.reason });
      case "over":
        this.#held.delete(address);
        return this.#ended(
          talk,
          talk.stage === "leaving" ? "left" : "nobody there",
        );
      case "round":
        if (event.outcome === "exchanged") {
          this.#onMeeting(address, event.round);
        }
        return this.#tell({ ...event, address });
      default:
        return this.#tell({ ...event, address });
    }
  }

  #ended(talk: Talk, reason: TalkEnd): void {
    this.#tell({
      kind: "ended",
      address: talk.certificate.address,
      reason,
      undelivered: talk.connection?.conversation.undelivered ?? 0,
    });
  }
}
