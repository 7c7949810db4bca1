import type { Certificate } from "../../identity/mod.ts";
import type { PeerMessage, Text } from "../../peer/mod.ts";
import {
  isNumbered,
  MessageType,
  PeerMessageError,
  TEXT_ID_BYTES,
} from "../../peer/mod.ts";
import type {
  Bytes,
  RandomSource,
  SigningKeyPair,
} from "../../protocol/mod.ts";
import { equalConstantTime, MalformedError } from "../../protocol/mod.ts";
import type { Loss } from "../client/sources.ts";
import { Braid } from "./braid.ts";
import type {
  ConversationEvent,
  HangUpReason,
  RoundOutcome,
} from "./conversation_event.ts";
import { Farewell } from "./farewell.ts";
import { readHangUp, writeHangUp } from "./hang_up.ts";
import { Inbox } from "./inbox.ts";
import { KeyWheel } from "./key_wheel.ts";
import type { Advance } from "./outbox.ts";
import { Outbox } from "./outbox.ts";
import { callId } from "./pair_secret.ts";
import { RoundMessages } from "./round_messages.ts";
import type { Direction } from "./round_seal.ts";
import { dropOf, sealBase } from "./round_seal.ts";
import { readStepPart, StepKind } from "./step_part.ts";

/** So many rounds may be under way; the reply of an older one is not waited for any more. */
const ROUNDS_LIMIT = 16;

/** What a conversation is between. */
export interface ConversationOptions {
  /** Secret of the call, 32 bytes; not kept. */
  readonly secret: Bytes;
  /** Start of the dialing round in which it was called, in milliseconds since 1970. */
  readonly dialedAt: number;
  /** Whether one called oneself or was called. */
  readonly direction: Direction;
  /** One's own key that signs. */
  readonly signing: SigningKeyPair;
  /** The other person. */
  readonly peer: Certificate;
  /** For ids of texts and the times of sending again. */
  readonly random: RandomSource;
  /** Told of what happens, in order; must not throw. */
  readonly onEvent: (event: ConversationEvent) => void;
  /** Why one hangs up without having talked, if so: nothing else is said then. */
  readonly refuses?: Exclude<HangUpReason, "bye">;
}

/** A round that was taken part in and is not over. */
interface Round {
  readonly base: Bytes;
  readonly sealed: Bytes;
}

/** What came back does not fit: the other side, or whoever has its keys, breaks the rules. */
const REFUSED = [MalformedError, PeerMessageError] as const;

/**
 * One conversation over exchange rounds, of one side: where to meet, what to say and what was said. It
 * knows no clock and no connection: rounds come as arguments, any number of them under way at once, and
 * what came of them in whatever order, or not at all. Works on one thing at a time, in the order of the
 * calls. Nothing of it is kept on disk.
 */
export class Conversation {
  readonly #options: Omit<ConversationOptions, "secret">;
  readonly #messages: RoundMessages;
  readonly #wheel: KeyWheel;
  readonly #braid: Braid;
  readonly #outbox = new Outbox();
  readonly #inbox = new Inbox();
  readonly #farewell = new Farewell();
  readonly #rounds = new Map<number, Round>();
  #lastStart = -Infinity;
  #met = false;
  #toldGeneration = 0;
  #over = false;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(
    { secret, ...options }: ConversationOptions,
    callId: Bytes,
    braid: Braid,
  ) {
    this.#options = options;
    this.#messages = new RoundMessages({ callId, ...options });
    this.#wheel = new KeyWheel(secret, options.dialedAt);
    this.#braid = braid;
  }

  /** Begins one side of a conversation. */
  static async begin(options: ConversationOptions): Promise<Conversation> {
    const { braid, payloads } = await Braid.begin(options.direction);
    const id = await callId(options.secret);
    const conversation = new Conversation(options, id, braid);
    const { refuses } = options;
    if (refuses === undefined) conversation.#outbox.renew(payloads);
    else conversation.hangUp(refuses);
    return conversation;
  }

  /** The generation under which is sealed what is said now. */
  get generation(): number {
    return this.#braid.current.number;
  }

  /** So many of one's own texts are not acknowledged. */
  get undelivered(): number {
    return this.#outbox.undelivered;
  }

  /** Whether it takes part in rounds no longer. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * What to leave at which drop in the round that starts then; always as long: 16 and 496 bytes. Rounds
   * must come in the order of their starts: nothing for one that does not, for one in a minute that has
   * passed, and after the end, which a leap of more than five weeks is, too.
   */
  outgoing(
    start: number,
  ): Promise<{ readonly drop: Bytes; readonly sealed: Bytes } | undefined> {
    return this.#inOrder(() => this.#outgoing(start));
  }

  /** What came back of the round that starts then, the first time; later ones change nothing. */
  incoming(start: number, reply: Bytes): Promise<void> {
    return this.#inOrder(async () => {
      const round = this.#rounds.get(start);
      if (round === undefined) return;
      this.#rounds.delete(start);
      const outcome = equalConstantTime(reply, round.sealed)
        ? "absent"
        : await this.#open(start, round, reply);
      this.#finish(start, round, outcome);
    });
  }

  /** Nothing came back of that round. */
  lost(start: number, why: Loss): Promise<void> {
    return this.#inOrder(() => {
      const round = this.#rounds.get(start);
      if (round === undefined) return;
      this.#rounds.delete(start);
      this.#finish(start, round, why);
    });
  }

  /**
   * Says something: it goes in rounds from the first generation on, and may take many.
   *
   * @param sentAt milliseconds since 1970.
   * @returns the text's id, 16 hex digits.
   * @throws {RangeError} if it is longer than 64 KiB of UTF-8.
   */
  say(text: string, sentAt: number): string {
    const id = this.#options.random(TEXT_ID_BYTES);
    const progress = this.#outbox.say({ id, text, sentAt });
    this.#options.onEvent({ kind: "state", id: progress.id, state: "queued" });
    return progress.id;
  }

  /** Hangs up when everything that was said is acknowledged, or nothing has been for 30 rounds. */
  hangUp(reason: HangUpReason): void {
    if (this.#farewell.leaving) return;
    this.#outbox.hangUp(writeHangUp(reason));
    this.#farewell.leave();
  }

  /** Takes part no longer, and forgets all keys, once everything that was asked for before is done. */
  erase(): Promise<void> {
    return this.#inOrder(() => this.#end());
  }

  /** Resolves when everything that was asked for before is done. */
  settled(): Promise<void> {
    return this.#inOrder(() => {});
  }

  /** What a thief of the memory finds of keys, as copies. */
  memoryForTestingOnly(): {
    readonly wheel: ReturnType<KeyWheel["memoryForTestingOnly"]>;
    readonly braid: ReturnType<Braid["memoryForTestingOnly"]>;
    readonly rounds: ReadonlyMap<number, Bytes>;
  } {
    return {
      wheel: this.#wheel.memoryForTestingOnly(),
      braid: this.#braid.memoryForTestingOnly(),
      rounds: new Map(
        this.#rounds.entries().map((
          [start, { base }],
        ) => [start, base.slice()]),
      ),
    };
  }

  #inOrder<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    // Whoever asked learns of an error; what comes after goes on.
    this.#work = done.catch(() => {});
    return done;
  }

  async #outgoing(
    start: number,
  ): Promise<{ drop: Bytes; sealed: Bytes } | undefined> {
    this.#farewell.turn();
    if (this.#farewell.over || this.#wheel.isBeyond(start)) this.#end();
    if (this.#over || start <= this.#lastStart) return undefined;
    const roundKey = await this.#wheel.roundKey(start);
    if (roundKey === undefined) return undefined;
    this.#lastStart = start;
    this.#forgetOldest();
    this.#outbox.renew(await this.#braid.turn());
    const generation = this.#braid.current;
    const { advance, ...saying } = this.#outbox.next(
      start,
      this.#rounds.size,
      generation.number,
      this.#options.random,
    );
    const [drop, base] = await Promise.all([
      dropOf(roundKey),
      sealBase(roundKey),
    ]);
    roundKey.fill(0);
    const sealed = await this.#messages.write(start, base, generation, {
      ...saying,
      ...this.#inbox.acknowledgement,
    });
    this.#rounds.set(start, { base, sealed });
    if (advance !== undefined) this.#advanced([advance]);
    return { drop, sealed };
  }

  /** What the reply of a round holds, taken in. */
  async #open(
    start: number,
    { base }: Round,
    reply: Bytes,
  ): Promise<RoundOutcome> {
    const { candidates } = this.#braid;
    try {
      const read = await this.#messages.read(start, base, candidates, reply);
      if (read === undefined) return "garbled";
      await this.#take(start, read.generation, read.message);
      return "exchanged";
    } catch (error) {
      if (!REFUSED.some((kind) => error instanceof kind)) throw error;
      return "garbled";
    }
  }

  /** @throws {MalformedError} if it breaks the rules; of its content nothing was taken in then. */
  async #take(
    start: number,
    generation: number,
    message: PeerMessage,
  ): Promise<void> {
    this.#braid.opened(generation, start);
    const fresh = isNumbered(message.type) && !this.#inbox.has(message.seq);
    this.#check(message, generation, fresh);
    if (fresh && message.type === MessageType.RATCHET) {
      const part = readStepPart(message.payload);
      this.#outbox.renew(await this.#braid.take(part));
    }
    const { advances, arrived } = this.#outbox.acknowledge(message);
    for (const { type, payload } of arrived) {
      if (type === MessageType.HANGUP) this.#farewell.acknowledged();
      const isDh = type === MessageType.RATCHET && payload[0] === StepKind.DH;
      if (isDh) this.#braid.dhArrived();
    }
    if (arrived.length > 0) this.#farewell.progress();
    // Whoever refuses says nothing else that is numbered.
    const talks = this.#options.refuses === undefined && fresh &&
      message.type !== MessageType.HANGUP;
    if (talks && !this.#met) {
      this.#met = true;
      this.#options.onEvent({ kind: "met" });
    }
    const { generation: reached } = this;
    if (reached !== this.#toldGeneration) {
      this.#toldGeneration = reached;
      this.#options.onEvent({ kind: "generation", generation: reached });
    }
    this.#advanced(this.#outbox.exchanged(start));
    this.#advanced(advances);
    if (!fresh) return;
    for (const given of this.#inbox.take(message)) this.#show(given);
  }

  #check(message: PeerMessage, generation: number, fresh: boolean): void {
    const { type, seq, payload } = message;
    if (!this.#outbox.accepts(message)) {
      throw new MalformedError(
        "Cannot accept a message: it acknowledges what was never sent",
      );
    }
    if (fresh && !this.#inbox.fits(seq)) {
      throw new MalformedError(
        "Cannot accept a message: too many before it are missing",
      );
    }
    if (type === MessageType.TEXT && generation === 0) {
      throw new MalformedError(
        "Cannot accept a text: no key was agreed on before it",
      );
    }
    if (type === MessageType.HANGUP) readHangUp(payload);
  }

  #show(given: Text | PeerMessage): void {
    if (this.#farewell.hungUpOn) return;
    if ("text" in given) {
      const { id, text, sentAt } = given;
      this.#options.onEvent({ kind: "text", id: id.toHex(), text, sentAt });
      return;
    }
    this.#farewell.hangUp();
    const reason = readHangUp(given.payload);
    this.#options.onEvent({ kind: "hung up", reason });
  }

  /** What a round has come to is told, and what it leaves is forgotten. */
  #finish(start: number, { base }: Round, outcome: RoundOutcome): void {
    base.fill(0);
    if (outcome !== "exchanged") this.#outbox.lost(start);
    this.#braid.settle(this.#rounds.keys().next().value);
    this.#options.onEvent({ kind: "round", round: start, outcome });
    this.#farewell.round(outcome === "absent");
    if (this.#farewell.over) this.#end();
  }

  #forgetOldest(): void {
    if (this.#rounds.size < ROUNDS_LIMIT) return;
    const [start, round] = this.#rounds.entries().next().value!;
    this.#rounds.delete(start);
    this.#finish(start, round, "unknown");
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#wheel.erase();
    this.#braid.erase();
    for (const { base } of this.#rounds.values()) base.fill(0);
    this.#rounds.clear();
    const { undelivered } = this;
    this.#options.onEvent({ kind: "over", undelivered });
  }

  #advanced(advances: readonly Advance[]): void {
    for (const advance of advances) {
      this.#options.onEvent({ kind: "state", ...advance });
    }
  }
}
