import type { Acknowledgement, SequenceSet, Text } from "../../peer/mod.ts";
import {
  addAcknowledgement,
  cutText,
  hasSequence,
  highestAcknowledged,
  MessageType,
  NO_SEQUENCES,
} from "../../peer/mod.ts";
import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { randomBelow } from "../../protocol/mod.ts";
import type { TextState } from "./conversation_event.ts";
import { WINDOW } from "./inbox.ts";
import { TextProgress } from "./text_progress.ts";

/** A message is sent again at the earliest so many rounds later, */
const RESEND_ROUNDS = 2;
/** and at most so many after that: nobody who makes rounds fail learns from when it comes again. */
const RESEND_SPREAD = 3;

/** What a message says. */
export interface Saying {
  /** What it is. */
  readonly type: MessageType;
  /** `FLAG_MORE` and `FLAG_CONTINUED` for a TEXT, else 0. */
  readonly flags: number;
  /** At most 399 bytes. */
  readonly payload: Bytes;
}

/** Something numbered that waits or is on its way. */
interface Numbered extends Saying {
  /** The text that it is a part of, and which part. */
  readonly text?: { readonly progress: TextProgress; readonly part: number };
}

/** Something that was handed in; the other side has not said that it has everything up to it. */
interface Underway {
  readonly seq: number;
  readonly item: Numbered;
  /** Whether the other side has it, and waits for what was sent before it. */
  arrived: boolean;
  /** Start of the round that it was in last. */
  round: number;
  /** In which turn it may be sent again. */
  due: number;
}

/** A text that has come further, and the round that it is in. */
export interface Advance {
  /** Id of the text, 16 hex digits. */
  readonly id: string;
  /** How far it is now. */
  readonly state: TextState;
  /** Start of the round, if that is what happened. */
  readonly round?: number;
}

/** In an earlier generation no texts are sent: anybody who learns the identity keys could read them. */
const FIRST_WITH_TEXTS = 1;
/** In an earlier generation texts wait for new keys: they are not safe from quantum computers yet. */
const FIRST_WITH_TURNS = 2;

const COVER: Saying = {
  type: MessageType.COVER,
  flags: 0,
  payload: new Uint8Array(0),
};

/**
 * What one side has to say, one message a round: what is due to be sent again, else something new if
 * fewer than 32 are on the way, else nothing that means anything.
 */
export class Outbox {
  readonly #keys: Numbered[] = [];
  readonly #texts: Numbered[] = [];
  #goodbye: Numbered | undefined;
  readonly #underway = new Map<number, Underway>();
  readonly #undelivered = new Set<TextProgress>();
  #acknowledged: SequenceSet = NO_SEQUENCES;
  #nextSeq = 1;
  #turn = 0;
  /** Whether what was begun last was a part of a text. */
  #wasText = false;

  /** How many texts are not acknowledged. */
  get undelivered(): number {
    return this.#undelivered.size;
  }

  /**
   * Queues a text.
   *
   * @throws {RangeError} if it is longer than 64 KiB of UTF-8.
   */
  say(text: Text): TextProgress {
    const parts = cutText(text);
    const progress = new TextProgress(text.id.toHex(), parts.length);
    for (const [part, { flags, payload }] of parts.entries()) {
      this.#texts.push({
        type: MessageType.TEXT,
        flags,
        payload,
        text: { progress, part },
      });
    }
    this.#undelivered.add(progress);
    return progress;
  }

  /**
   * Queues payloads of RATCHET messages. They go before texts until the generation is safe from quantum
   * computers; from then on the two take turns, or a step would hold up what is said for four rounds.
   */
  renew(payloads: readonly Bytes[]): void {
    for (const payload of payloads) {
      this.#keys.push({ type: MessageType.RATCHET, flags: 0, payload });
    }
  }

  /** Says goodbye behind everything else. */
  hangUp(payload: Bytes): void {
    this.#goodbye = { type: MessageType.HANGUP, flags: 0, payload };
  }

  /**
   * What to send in the round that starts then.
   *
   * @param pending how many rounds before it are not over: acknowledgements take as much longer.
   * @param generation under which it will be sealed.
   */
  next(
    start: number,
    pending: number,
    generation: number,
    random: RandomSource,
  ): Saying & { readonly seq: number; readonly advance?: Advance } {
    this.#turn++;
    const underway = this.#due() ?? this.#begin(generation);
    if (underway === undefined) return { ...COVER, seq: 0 };
    underway.round = start;
    underway.due = this.#turn + RESEND_ROUNDS + 2 * pending +
      randomBelow(RESEND_SPREAD, random);
    const { seq, item } = underway;
    const { type, flags, payload, text } = item;
    text?.progress.begin();
    return {
      type,
      flags,
      payload,
      seq,
      ...(text?.progress.state === "in round"
        ? { advance: { id: text.progress.id, state: "in round", round: start } }
        : {}),
    };
  }

  /** Whether the other side may say this: it acknowledges nothing that was never sent. */
  accepts(acknowledgement: Acknowledgement): boolean {
    return highestAcknowledged(acknowledgement) < this.#nextSeq;
  }

  /**
   * Takes in what the other side says it has.
   *
   * @returns texts that have come further, and what it was that arrived.
   */
  acknowledge(
    acknowledgement: Acknowledgement,
  ): { readonly advances: readonly Advance[]; readonly arrived: Saying[] } {
    const known = addAcknowledgement(this.#acknowledged, acknowledgement);
    this.#acknowledged = known;
    const advances: Advance[] = [];
    const arrived: Saying[] = [];
    for (const underway of [...this.#underway.values()]) {
      const { seq, item } = underway;
      if (!underway.arrived && hasSequence(known, seq)) {
        underway.arrived = true;
        arrived.push(item);
      }
      // What waits for something before it has not been shown, and would be lost with the other side.
      if (seq > known.cumulative) continue;
      this.#underway.delete(seq);
      if (item.text === undefined) continue;
      const { progress, part } = item.text;
      const before = progress.state;
      progress.deliver(part);
      if (progress.state === "delivered") this.#undelivered.delete(progress);
      const { id, state } = progress;
      if (state !== before) advances.push({ id, state });
    }
    return { advances, arrived };
  }

  /** The other side was at the drop in that round. */
  exchanged(start: number): readonly Advance[] {
    const advances: Advance[] = [];
    for (const { round, item } of this.#underway.values()) {
      if (round !== start || item.text === undefined) continue;
      const { progress, part } = item.text;
      const before = progress.state;
      progress.exchange(part);
      const { id, state } = progress;
      if (state !== before) advances.push({ id, state, round: start });
    }
    return advances;
  }

  /** What was in that round did not arrive, or nobody knows: it is due. */
  lost(start: number): void {
    for (const underway of this.#underway.values()) {
      if (underway.round === start) underway.due = 0;
    }
  }

  #due(): Underway | undefined {
    return this.#underway.values()
      .find(({ arrived, due }) => !arrived && due <= this.#turn);
  }

  #begin(generation: number): Underway | undefined {
    if (this.#nextSeq > this.#acknowledged.cumulative + WINDOW) {
      return undefined;
    }
    const item = this.#take(generation);
    if (item === undefined) return undefined;
    const underway = {
      seq: this.#nextSeq++,
      item,
      arrived: false,
      round: 0,
      due: 0,
    };
    this.#underway.set(underway.seq, underway);
    return underway;
  }

  #take(generation: number): Numbered | undefined {
    const mayTell = generation >= FIRST_WITH_TEXTS && this.#texts.length > 0;
    const isKeysTurn = !mayTell || this.#wasText ||
      generation < FIRST_WITH_TURNS;
    const key = isKeysTurn ? this.#keys.shift() : undefined;
    this.#wasText = key === undefined && mayTell;
    if (key !== undefined) return key;
    if (this.#texts.length > 0) {
      return mayTell ? this.#texts.shift() : undefined;
    }
    const goodbye = this.#goodbye;
    this.#goodbye = undefined;
    return goodbye;
  }
}
