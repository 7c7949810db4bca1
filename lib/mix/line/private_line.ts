import type { Certificate, Keyring } from "../../identity/mod.ts";
import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import {
  concat,
  CryptoError,
  equalConstantTime,
  randomBelow,
  randomBytes,
} from "../../protocol/mod.ts";
import type {
  DialSource,
  Exchange,
  ExchangeSource,
} from "../client/sources.ts";
import type { Conversation } from "../conversation/conversation.ts";
import { Direction } from "../conversation/round_seal.ts";
import type { RoundId } from "../round.ts";
import { Connector, forget } from "./connector.ts";
import type { Connection } from "./connector.ts";
import { LineError } from "./line_error.ts";
import type { Call, LineEvent } from "./line_event.ts";
import type { OutgoingCall } from "./outgoing_call.ts";
import { Reception } from "./reception.ts";
import { beginTalk } from "./talk.ts";
import type { Talk, TalkStage } from "./talk.ts";
import { Talks } from "./talks.ts";

/** So many conversations at once unless told. */
const SLOTS = 3;

/** What a private line works with. */
export interface PrivateLineOptions {
  /** One's own certificate and the private keys that sign and agree. */
  readonly keyring: Pick<Keyring, "certificate" | "dh" | "signing">;
  /** Whoever may call: people whose certificates are trusted. Asked after every dialing round. */
  readonly contacts: () => Promise<readonly Certificate[]>;
  /** Milliseconds since 1970, on the coordinator's clock as far as it is known. */
  readonly now: () => number;
  /** Told of what happens, in order; must not throw. */
  readonly onEvent: (event: LineEvent) => void;
  /** So many conversations at once, as many as a round has slots; 3 unless told. */
  readonly slots?: number;
  /** `randomBytes` of the protocol unless told. */
  readonly random?: RandomSource;
}

/** How a conversation stands. */
export interface ConversationView {
  /** With whom. */
  readonly address: string;
  /** Their certificate. */
  readonly certificate: Certificate;
  /** What has come of the call. */
  readonly stage: TalkStage;
  /** 0 until keys are agreed on, 1 then, from 2 on safe from quantum computers. */
  readonly generation: number;
  /** So many of one's own texts are not acknowledged yet. */
  readonly undelivered: number;
}

/**
 * The conversations and calls of one person over the rounds: what goes into exchange rounds and dialing
 * rounds, and what comes of it. It knows no connection; `MixClient` asks it, round by round. Calls are
 * heard from contacts only: nobody else can make a token that is looked for. Nothing is kept on disk.
 */
export class PrivateLine implements ExchangeSource, DialSource {
  readonly #options: PrivateLineOptions;
  readonly #random: RandomSource;
  readonly #talks: Talks;
  readonly #connector: Connector;
  readonly #reception: Reception;
  readonly #background = new Set<Promise<void>>();

  /** Nobody is called, and nobody heard yet. */
  constructor(options: PrivateLineOptions) {
    this.#options = options;
    this.#random = options.random ?? randomBytes;
    this.#connector = new Connector(options.keyring, this.#random);
    this.#talks = new Talks(
      options.onEvent,
      // What they dialed before they were there has led to that.
      (address, round) => this.#reception.settle(address, round),
    );
    this.#reception = new Reception({
      talks: this.#talks,
      connector: this.#connector,
      ownId: this.certificateId,
      slots: options.slots ?? SLOTS,
      now: options.now,
      tell: options.onEvent,
      later: (work) => this.#later(work),
    });
  }

  /** Id of one's own certificate, 32 bytes. */
  get certificateId(): Bytes {
    return this.#options.keyring.certificate.id;
  }

  /** The conversations that are held or wanted, in the order in which they began. */
  get conversations(): readonly ConversationView[] {
    return this.#talks.all.map((talk) => ({
      address: talk.certificate.address,
      certificate: talk.certificate,
      stage: talk.stage,
      generation: talk.connection?.conversation.generation ?? 0,
      undelivered: talk.connection?.conversation.undelivered ?? 0,
    }));
  }

  /** The calls that wait to be accepted, the oldest first. */
  get ringing(): readonly Call[] {
    return this.#reception.ringing;
  }

  /** How many conversations are over here, while others still wait to hear that, or that it is known. */
  get farewells(): number {
    return this.#talks.partings.connections.length;
  }

  /**
   * Calls somebody: dials in the next dialing round, and again every 60 s for at most 10 min. If they are
   * calling already, this accepts.
   *
   * @throws {LineError} `ERR_LINE_BUSY`, `ERR_LINE_TAKEN`.
   */
  call(certificate: Certificate): void {
    const { address, id } = certificate;
    if (this.#reception.rings(address)) return this.accept(address);
    const talk = this.#talks.get(address);
    if (
      equalConstantTime(id, this.certificateId) ||
      talk !== undefined && talk.stage !== "leaving"
    ) {
      throw new LineError(
        "ERR_LINE_TAKEN",
        "Cannot call: it is oneself, or somebody one talks to already",
      );
    }
    this.#reception.refuseIfFull(address);
    if (talk !== undefined) this.#talks.end(talk, "left");
    this.#talks.add(beginTalk(certificate, this.#options.now()));
  }

  /**
   * Answers a call that rings.
   *
   * @throws {LineError} `ERR_LINE_BUSY`, `ERR_LINE_NOBODY`.
   */
  accept(address: string): void {
    this.#reception.accept(address);
  }

  /**
   * Tells somebody whose call rings that one does not want to talk.
   *
   * @throws {LineError} `ERR_LINE_NOBODY`.
   */
  refuse(address: string): void {
    this.#reception.refuse(address);
  }

  /**
   * Says something in a conversation that was answered.
   *
   * @returns the text's id, 16 hex digits.
   * @throws {LineError} `ERR_LINE_NOBODY`.
   * @throws {RangeError} if it is longer than 64 KiB of UTF-8.
   */
  say(address: string, text: string): string {
    const talk = this.#talks.get(address);
    const conversation = talk?.connection?.conversation;
    if (talk?.stage !== "talking" || conversation === undefined) {
      throw nobody("nobody has answered");
    }
    return conversation.say(text, this.#options.now());
  }

  /**
   * Ends a conversation once what was said is acknowledged, or after 30 rounds; or gives up calling.
   *
   * @throws {LineError} `ERR_LINE_NOBODY`.
   */
  hangUp(address: string): void {
    const talk = this.#talks.get(address);
    if (talk === undefined) throw nobody("there is no conversation");
    if (talk.stage === "leaving") return;
    const conversation = talk.connection?.conversation;
    if (talk.stage === "talking" && conversation !== undefined) {
      talk.stage = "leaving";
      conversation.hangUp("bye");
    } else this.#talks.end(talk, "left");
  }

  /** See `ExchangeSource`. With more conversations than slots, chance decides who is left out. */
  async outgoing(
    round: RoundId,
    slots: number,
  ): Promise<readonly Exchange[]> {
    this.#lapse();
    const connections = this.#talks.connections;
    const chosen: Connection[] = [];
    while (chosen.length < slots && connections.length > 0) {
      const at = randomBelow(connections.length, this.#random);
      chosen.push(...connections.splice(at, 1));
    }
    const exchanges = await Promise.all(
      chosen.map(({ conversation }) => this.#exchange(conversation, round)),
    );
    return exchanges.filter((exchange) => exchange !== undefined);
  }

  /** See `DialSource`. */
  async dial(round: RoundId): ReturnType<DialSource["dial"]> {
    this.#lapse();
    const talk = this.#talks.due(round.start).find(({ certificate }) =>
      // A token of a round before something was heard of them would be taken for an old one.
      !this.#reception.isSettled(certificate.address, round.start)
    );
    const call = talk?.call;
    if (talk === undefined || call === undefined) return undefined;
    call.give(round.start);
    const { certificate } = talk;
    try {
      const [token, connection] = await Promise.all([
        this.#connector.token(certificate, round.start, Direction.CALLER),
        this.#connector.connect(certificate, round.start, Direction.CALLER),
      ]);
      const isWanted = (): boolean =>
        this.#talks.stands(talk) && talk.call === call;
      if (!isWanted()) return undefined;
      const done = (loss: unknown): void => {
        if (loss !== undefined) call.failed();
        if (loss === undefined && isWanted()) {
          this.#dialed(talk, call, connection);
        } else forget(connection);
      };
      return { to: certificate.id, token, done };
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      // With such a key nobody can answer.
      if (this.#talks.stands(talk)) this.#talks.giveUp(talk);
      return undefined;
    }
  }

  /** See `DialSource`. */
  async heard(
    round: RoundId,
    filter: { has(token: Bytes): boolean },
  ): Promise<void> {
    const others = (await this.#options.contacts())
      .filter(({ id }) => !equalConstantTime(id, this.certificateId));
    const tokens = await Promise.all(
      others.map((other) => this.#tokenOf(other, round.start)),
    );
    for (const [i, other] of others.entries()) {
      const token = tokens[i];
      if (token !== undefined && filter.has(token)) {
        this.#reception.rang(other, round.start);
      }
    }
  }

  /** Resolves when everything that has come was worked on. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  /** What somebody else would have left in a dialing round; nothing if their certificate holds no key. */
  async #tokenOf(
    other: Certificate,
    start: number,
  ): Promise<Bytes | undefined> {
    try {
      return await this.#connector.token(other, start, Direction.CALLEE);
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      return undefined;
    }
  }

  async #exchange(
    conversation: Conversation,
    { start }: RoundId,
  ): Promise<Exchange | undefined> {
    const left = await conversation.outgoing(start);
    if (left === undefined) return undefined;
    return {
      payload: concat(left.drop, left.sealed),
      answered: (reply) => this.#later(conversation.incoming(start, reply)),
      lost: (why) => this.#later(conversation.lost(start, why)),
    };
  }

  /** The filter has taken a token: from now on one waits where it leads. */
  #dialed(talk: Talk, call: OutgoingCall, connection: Connection): void {
    call.dialed(connection.dialedAt);
    this.#talks.attach(talk, connection);
    const { address } = talk.certificate;
    this.#options.onEvent({
      kind: "dialed",
      address,
      round: connection.dialedAt,
    });
  }

  /** What has become too old ends. */
  #lapse(): void {
    this.#reception.lapse();
    this.#talks.lapse(this.#options.now());
  }

  /** Goes on beside; `settled` waits for it. */
  #later(work: Promise<void>): void {
    const done = work.finally(() => this.#background.delete(done));
    this.#background.add(done);
  }
}

function nobody(why: string): LineError {
  return new LineError("ERR_LINE_NOBODY", `Cannot do that: ${why}`);
}
