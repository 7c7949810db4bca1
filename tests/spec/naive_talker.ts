/**
 * One side of a conversation over rounds in which nothing is lost, written from SPEC.md §13.13.
 *
 * @module
 */
import { generateKem } from "../../lib/protocol/crypto/ml_kem.ts";
import {
  answerOffer,
  callId,
  dropId,
  FIRST_GENERATION,
  messageKey,
  nextGeneration,
  openMessage,
  peerMessage,
  ratchetPayloads,
  readPeerMessage,
  readRatchet,
  roundKey,
  sealMessage,
  takeAnswer,
  TYPE,
  WAY,
  WHAT,
} from "./naive_conversation.ts";
import type { NaivePeerMessage } from "./naive_conversation.ts";
import {
  ascii,
  dh,
  join,
  random,
  unsigned,
  x25519Pair,
} from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

/** What is said; the number and what is acknowledged are added to it. */
type Saying = Pick<NaivePeerMessage, "type" | "flags" | "payload">;

/** What a conversation is between. */
export interface NaiveCall {
  /** C. */
  readonly secret: Octets;
  /** Start of the dialing round. */
  readonly dialled: number;
  readonly way: number;
  /** Ed25519 seed. */
  readonly seed: Octets;
  /** The other's Ed25519 key. */
  readonly signer: Octets;
}

/** One side. Rounds come one after the other, each over before the next begins. */
export class NaiveTalker {
  readonly #call: NaiveCall;
  readonly #first = x25519Pair();
  readonly #queue: Saying[] = [];
  readonly #texts: Saying[] = [];
  readonly #generations = new Map([[0, FIRST_GENERATION]]);
  #number = 0;
  #ack = 0;
  #offer: Awaited<ReturnType<typeof newOffer>> | undefined;
  #parts: Octets[] = [];
  #pieces: Octets[] = [];
  /** The generation in use. */
  generation = 0;
  /** Texts that have come. */
  readonly texts: string[] = [];
  /** Why the other has hung up. */
  hungUp: number | undefined;

  constructor(call: NaiveCall) {
    this.#call = call;
    this.#say(TYPE.ratchet, ...ratchetPayloads(WHAT.dh, 1, this.#first.open));
  }

  /** Says a text, from the first generation on. */
  tell(text: string): void {
    const whole = join(random(8), unsigned(8, Date.now()), ascii(text));
    const count = Math.ceil(whole.length / 399);
    for (let i = 0; i < count; i++) {
      const flags = (i < count - 1 ? 1 : 0) + (i > 0 ? 2 : 0);
      const payload = whole.slice(399 * i, 399 * (i + 1));
      this.#texts.push({ type: TYPE.text, flags, payload });
    }
  }

  /** Hangs up. */
  leave(reason: number): void {
    this.#say(TYPE.hangup, unsigned(1, reason));
  }

  /** Says nothing but that it does not want to talk. */
  refuse(reason: number): void {
    this.#queue.length = 0;
    this.leave(reason);
  }

  /** Begins the next step. */
  async offer(): Promise<void> {
    this.#offer = await newOffer();
    const { own, kem } = this.#offer;
    const data = join(own.open, kem.publicKey);
    const payloads = ratchetPayloads(WHAT.offer, this.generation + 1, data);
    this.#say(TYPE.ratchet, ...payloads);
  }

  /** What lies at which drop in a round. */
  outgoing(start: number): { drop: Octets; sealed: Octets } {
    const { secret, dialled, way, seed } = this.#call;
    const mayTell = this.generation > 0;
    const saying = this.#queue.shift() ??
      (mayTell ? this.#texts.shift() : undefined);
    const message = peerMessage(
      {
        ...saying ?? { type: TYPE.cover, flags: 0, payload: random(399) },
        number: saying === undefined ? 0 : ++this.#number,
        ack: this.#ack,
        sack: 0,
      },
      { call: callId(secret), start, way },
      seed,
    );
    const r = roundKey(secret, dialled, start);
    const key = messageKey(r, this.#generations.get(this.generation)!, way);
    return { drop: dropId(r), sealed: sealMessage(key, message) };
  }

  /** What came back. */
  async incoming(start: number, reply: Octets): Promise<void> {
    const { secret, dialled, signer } = this.#call;
    const way = WAY.toCaller - this.#call.way;
    const r = roundKey(secret, dialled, start);
    const { generation, bytes } = this.#open(r, way, reply);
    const place = { call: callId(secret), start, way };
    const message = readPeerMessage(bytes, place, signer);
    // Who has answered moves when the other has.
    if (generation > this.generation) this.generation = generation;
    // Of the first step each moves when the other has what it takes.
    const isFirst = this.generation === 0 && this.#generations.has(1);
    if (isFirst && message.ack >= 1) this.generation = 1;
    if (message.number === 0) return;
    if (message.number <= this.#ack) return;
    if (message.number > this.#ack + 1) throw new Error("one is missing");
    this.#ack++;
    if (message.type === TYPE.ratchet) await this.#step(message.payload);
    else if (message.type === TYPE.hangup) this.hungUp = message.payload[0];
    else this.#hear(message);
  }

  #open(
    r: Octets,
    way: number,
    reply: Octets,
  ): { generation: number; bytes: Octets } {
    for (const [generation, secret] of this.#generations) {
      try {
        const bytes = openMessage(messageKey(r, secret, way), reply);
        return { generation, bytes };
      } catch {
        // It was sealed under another one.
      }
    }
    throw new Error("it opens under no generation");
  }

  #say(type: number, ...payloads: readonly Octets[]): void {
    this.#queue.push(
      ...payloads.map((payload) => ({ type, flags: 0, payload })),
    );
  }

  async #step(payload: Octets): Promise<void> {
    const { what, generation: g, part, data } = readRatchet(payload);
    if (part !== this.#parts.length) throw new Error("a part is missing");
    const whole = join(...this.#parts, data);
    this.#parts.push(data);
    if (whole.length < [32, 1_216, 1_120][what]!) return;
    this.#parts = [];
    const before = this.#generations.get(g - 1)!;
    if (what === WHAT.dh) {
      const agreed = dh(this.#first.secret, whole);
      this.#generations.set(1, nextGeneration(1, before, agreed));
    } else if (what === WHAT.offer) {
      const own = x25519Pair();
      const { answer, generation } = await answerOffer(g, before, whole, own);
      this.#generations.set(g, generation);
      this.#say(TYPE.ratchet, ...ratchetPayloads(WHAT.answer, g, answer));
    } else {
      const { own, kem } = this.#offer!;
      const keys = { secret: own.secret, kem: kem.privateKey };
      this.#generations.set(g, await takeAnswer(g, before, whole, keys));
      this.generation = g;
    }
  }

  #hear({ flags, payload }: NaivePeerMessage): void {
    if (flags < 2) this.#pieces = [];
    this.#pieces.push(payload);
    if (flags % 2 === 1) return;
    this.texts.push(
      new TextDecoder().decode(join(...this.#pieces).slice(16)),
    );
  }
}

async function newOffer() {
  return { own: x25519Pair(), kem: await generateKem() };
}
