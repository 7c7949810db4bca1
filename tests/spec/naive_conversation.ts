/**
 * Calls and conversations over rounds, written from SPEC.md §13.12 and §13.13.
 *
 * @module
 */
import { decapsulate, encapsulate } from "../../lib/protocol/crypto/ml_kem.ts";
import {
  ascii,
  dh,
  hkdf,
  hmac,
  join,
  open,
  seal,
  sign,
  unsigned,
  verify,
} from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import { NaiveReader } from "./naive_reader.ts";

/** Directions: from who has called, and to. */
export const WAY = { fromCaller: 0, toCaller: 1 } as const;

/** Types of messages that rounds have. */
export const TYPE = { cover: 0, text: 1, hangup: 5, ratchet: 6 } as const;

const ZEROS: Octets = new Uint8Array(32);

/** S. */
export function pairSecret(
  own: { readonly secret: Octets; readonly id: Octets },
  theirs: { readonly open: Octets; readonly id: Octets },
): Octets {
  const ids = [own.id, theirs.id].sort((a, b) =>
    a.toHex() < b.toHex() ? -1 : 1
  );
  const shared = dh(own.secret, theirs.open);
  return hkdf(shared, join(...ids), "sotto mix pair v1", 32);
}

/** The token of a call. */
export function callToken(s: Octets, start: number, caller: Octets): Octets {
  return hmac(s, join(ascii("dial"), unsigned(8, start), caller));
}

/** C. */
export function callSecret(s: Octets, token: Octets): Octets {
  return hkdf(s, token, "sotto mix call v1", 32);
}

/** The call's id. */
export function callId(c: Octets): Octets {
  return hmac(c, ascii("id")).slice(0, 16);
}

/** R of an exchange round, of a call that was dialled in the round that started at `dialled`. */
export function roundKey(c: Octets, dialled: number, start: number): Octets {
  let w = c;
  for (
    let m = Math.floor(dialled / 60_000);
    m < Math.floor(start / 60_000);
    m++
  ) w = hmac(w, ascii("turn"));
  return hmac(w, join(ascii("round"), unsigned(8, start)));
}

/** The drop of a round. */
export function dropId(r: Octets): Octets {
  return hmac(r, ascii("drop")).slice(0, 16);
}

/** What seals a message. */
export function messageKey(
  r: Octets,
  generation: Octets,
  way: number,
): Octets {
  const info = join(ascii("sotto mix message v1"), unsigned(1, way));
  return hkdf(hmac(r, ascii("seal")), generation, info, 32);
}

/** A message of 480 bytes (§6.6). */
export interface NaivePeerMessage {
  readonly type: number;
  readonly flags: number;
  readonly number: number;
  readonly ack: number;
  readonly sack: number;
  readonly payload: Octets;
}

/** Which message of which call it is: what a signature is bound to. */
export interface NaivePlace {
  readonly call: Octets;
  readonly start: number;
  readonly way: number;
}

function signedBytes({ call, start, way }: NaivePlace, body: Octets): Octets {
  const context = join(call, unsigned(8, start), unsigned(1, way));
  return join(ascii("sotto peer message v1\0"), context, body);
}

/** Signs a message. */
export function peerMessage(
  message: NaivePeerMessage,
  place: NaivePlace,
  seed: Octets,
): Octets {
  const { payload } = message;
  const body = join(
    unsigned(1, 1),
    unsigned(1, message.type),
    unsigned(1, message.flags),
    unsigned(4, message.number),
    unsigned(4, message.ack),
    unsigned(4, message.sack),
    unsigned(2, payload.length),
    payload,
    new Uint8Array(399 - payload.length),
  );
  return join(body, sign(seed, signedBytes(place, body)));
}

/** Its inverse. */
export function readPeerMessage(
  bytes: Octets,
  place: NaivePlace,
  signer: Octets,
): NaivePeerMessage {
  const reader = new NaiveReader(bytes);
  const body = reader.take(416);
  if (!verify(signer, reader.take(64), signedBytes(place, body))) {
    throw new Error("another's signature");
  }
  const fields = new NaiveReader(body);
  if (fields.integer(1) !== 1) throw new Error("another version");
  const head = {
    type: fields.integer(1),
    flags: fields.integer(1),
    number: fields.integer(4),
    ack: fields.integer(4),
    sack: fields.integer(4),
  };
  const payload = fields.take(fields.integer(2));
  if (fields.take(fields.left).some((byte) => byte !== 0) || reader.left > 0) {
    throw new Error("bytes behind a message");
  }
  return { ...head, payload };
}

/** What lies at a drop: 496 bytes. */
export function sealMessage(key: Octets, message: Octets): Octets {
  return seal(key, new Uint8Array(12), message, new Uint8Array(0));
}

/** Its inverse. */
export function openMessage(key: Octets, sealed: Octets): Octets {
  return open(key, new Uint8Array(12), sealed, new Uint8Array(0));
}

/** What a RATCHET message carries. */
export const WHAT = { dh: 0, offer: 1, answer: 2 } as const;

/** How long the parts are. */
const PARTS = [[32], [304, 304, 304, 304], [374, 374, 372]] as const;

/** The payloads of one step. */
export function ratchetPayloads(
  what: number,
  generation: number,
  data: Octets,
): Octets[] {
  const reader = new NaiveReader(data);
  const payloads = PARTS[what]!.map((length, part) =>
    join(
      unsigned(1, what),
      unsigned(2, generation),
      unsigned(1, part),
      reader.take(length),
    )
  );
  if (reader.left > 0) throw new Error("too much for a step");
  return payloads;
}

/** One of them, read. */
export function readRatchet(
  payload: Octets,
): { what: number; generation: number; part: number; data: Octets } {
  const reader = new NaiveReader(payload);
  const head = {
    what: reader.integer(1),
    generation: reader.integer(2),
    part: reader.integer(1),
  };
  const data = reader.take(PARTS[head.what]![head.part]!);
  if (reader.left > 0) throw new Error("bytes behind a part");
  return { ...head, data };
}

/** G[0]. */
export const FIRST_GENERATION: Octets = ZEROS;

/** G[g], from what was agreed on and G[g - 1]. */
export function nextGeneration(
  g: number,
  before: Octets,
  agreed: Octets,
  kem: Octets = new Uint8Array(0),
): Octets {
  const info = join(ascii("sotto mix generation v1"), unsigned(4, g));
  return hkdf(join(agreed, kem), before, info, 32);
}

/** Answers an OFFER: the ANSWER, and G[g]. `own` is the new X25519 pair. */
export async function answerOffer(
  g: number,
  before: Octets,
  offer: Octets,
  own: { readonly secret: Octets; readonly open: Octets },
): Promise<{ answer: Octets; generation: Octets }> {
  const { secret, ciphertext } = await encapsulate(offer.slice(32));
  const agreed = dh(own.secret, offer.slice(0, 32));
  return {
    answer: join(own.open, ciphertext),
    generation: nextGeneration(g, before, agreed, secret),
  };
}

/** Takes the ANSWER to an own OFFER; G[g]. */
export async function takeAnswer(
  g: number,
  before: Octets,
  answer: Octets,
  own: {
    readonly secret: Octets;
    readonly kem: Parameters<typeof decapsulate>[0];
  },
): Promise<Octets> {
  const secret = await decapsulate(own.kem, answer.slice(32));
  const agreed = dh(own.secret, answer.slice(0, 32));
  return nextGeneration(g, before, agreed, secret);
}
