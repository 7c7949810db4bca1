import type { Bytes, SigningKeyPair } from "../../protocol/mod.ts";
import {
  concat,
  ED25519_BYTES,
  HASH_BYTES,
  MalformedError,
  Reader,
  sign,
  SIGNATURE_BYTES,
  utf8,
  verify,
  Writer,
} from "../../protocol/mod.ts";
import { AGREEMENT_LIMIT } from "../circuit/key_agreement.ts";

/**
 * What is said to the relays that help an onion service and its clients to meet (SPEC.md §12.8;
 * rend-spec-v3 §3 and §4). All of it has stream 0.
 */

/** Length of a rendezvous cookie in bytes. */
export const COOKIE_BYTES = 32;
/** Length of a sealed service descriptor in bytes: with its index it fits into a small cell. */
export const BLOB_BYTES = 1_280;
/** Sealed descriptors that a relay keeps under one index: it cannot tell which are the service's. */
export const BLOBS_LIMIT = 4;

/** What becomes of an INTRODUCE: the numbers that an INTRODUCED carries are the indices. */
export const INTRODUCTION_STATUSES = ["passed-on", "unknown", "busy"] as const;
/** One of {@linkcode INTRODUCTION_STATUSES}. */
export type IntroductionStatus = typeof INTRODUCTION_STATUSES[number];

const INTRODUCTION_LABEL = utf8("sotto introduction point v1\0");

/**
 * ESTABLISH_INTRO: authentication key (32) ‖ signature (64) over a label, the binding of the circuit and
 * the key, so that nobody else can take the key to a circuit of their own.
 */
export async function encodeEstablishIntro(
  pair: SigningKeyPair,
  binding: Bytes,
): Promise<Bytes> {
  const signature = await sign(
    pair.privateKey,
    concat(INTRODUCTION_LABEL, binding, pair.publicKey),
  );
  return concat(pair.publicKey, signature);
}

/**
 * Reads ESTABLISH_INTRO: the authentication key.
 *
 * @throws {MalformedError} if it does not parse, or was not signed for this circuit by that key.
 */
export async function readEstablishIntro(
  data: Bytes,
  binding: Bytes,
): Promise<Bytes> {
  const reader = new Reader(data);
  const key = reader.take(ED25519_BYTES);
  const signature = reader.take(SIGNATURE_BYTES);
  reader.end();
  const message = concat(INTRODUCTION_LABEL, binding, key);
  let isSigned: boolean;
  try {
    isSigned = await verify(key, signature, message);
  } catch {
    // 32 bytes that are no point of the curve: nothing can have been signed by them.
    isSigned = false;
  }
  if (isSigned) return key;
  throw new MalformedError(
    "Cannot be an introduction point: the signature does not match",
  );
}

/** What a client has to say to a service, by way of an introduction point. */
export interface Introduction {
  /** The authentication key of the introduction point, 32 bytes: only the relay there knows whose it is. */
  readonly authKey: Bytes;
  /** The first message of the handshake, for the service only. */
  readonly message: Bytes;
}

/** INTRODUCE: authentication key (32) ‖ length (2) ‖ first message of the handshake. */
export function encodeIntroduce({ authKey, message }: Introduction): Bytes {
  return new Writer(1_536).bytes(authKey).prefixed(2, message).done();
}

/** Inverse of `encodeIntroduce`. @throws {MalformedError} */
export function parseIntroduce(data: Bytes): Introduction {
  const reader = new Reader(data);
  const authKey = reader.take(ED25519_BYTES);
  const message = reader.prefixed(2, AGREEMENT_LIMIT);
  reader.end();
  return { authKey, message };
}

/** INTRODUCED: the number of the status (1). */
export function encodeIntroduced(status: IntroductionStatus): Bytes {
  return Uint8Array.of(INTRODUCTION_STATUSES.indexOf(status));
}

/** Inverse of `encodeIntroduced`. @throws {MalformedError} also if there is no such status. */
export function parseIntroduced(data: Bytes): IntroductionStatus {
  const reader = new Reader(data);
  const status = INTRODUCTION_STATUSES[reader.u8()];
  reader.end();
  if (status !== undefined) return status;
  throw new MalformedError("Cannot read an answer: there is no such status");
}

/** Reads ESTABLISH_RENDEZVOUS: a cookie (32). @throws {MalformedError} */
export function parseCookie(data: Bytes): Bytes {
  const reader = new Reader(data);
  const cookie = reader.take(COOKIE_BYTES);
  reader.end();
  return cookie;
}

/** What a service brings to the rendezvous. */
export interface Rendezvous {
  /** 32 bytes that the client has chosen. */
  readonly cookie: Bytes;
  /** Length (2) ‖ second message of the handshake: what RENDEZVOUS_JOINED carries to the client. */
  readonly answer: Bytes;
}

/** RENDEZVOUS: cookie (32) ‖ length (2) ‖ second message of the handshake. */
export function encodeRendezvous(cookie: Bytes, message: Bytes): Bytes {
  return new Writer(1_536).bytes(cookie).prefixed(2, message).done();
}

/** Inverse of `encodeRendezvous`. @throws {MalformedError} */
export function parseRendezvous(data: Bytes): Rendezvous {
  const reader = new Reader(data);
  const cookie = reader.take(COOKIE_BYTES);
  const answer = reader.rest();
  parseJoined(answer);
  return { cookie, answer };
}

/** Reads RENDEZVOUS_JOINED: the second message of the handshake. @throws {MalformedError} */
export function parseJoined(data: Bytes): Bytes {
  const reader = new Reader(data);
  const message = reader.prefixed(2, AGREEMENT_LIMIT);
  reader.end();
  return message;
}

/** What is to be kept for the clients of a service. */
export interface Publication {
  /** Where: 32 bytes. */
  readonly index: Bytes;
  /** A sealed service descriptor, 1,280 bytes. */
  readonly blob: Bytes;
}

/** PUBLISH: index (32) ‖ sealed descriptor (1,280). */
export function encodePublish({ index, blob }: Publication): Bytes {
  return concat(index, blob);
}

/** Inverse of `encodePublish`. @throws {MalformedError} */
export function parsePublish(data: Bytes): Publication {
  const reader = new Reader(data);
  const index = reader.take(HASH_BYTES);
  const blob = reader.take(BLOB_BYTES);
  reader.end();
  return { index, blob };
}

/** What a client asks for. */
export interface FetchRequest {
  /** Where it would lie: 32 bytes. */
  readonly index: Bytes;
  /** Which one of those that lie there: 0 is the newest, and 3 the oldest. */
  readonly place: number;
}

/** FETCH: index (32) ‖ place (1). */
export function encodeFetch({ index, place }: FetchRequest): Bytes {
  return concat(index, Uint8Array.of(place));
}

/** Inverse of `encodeFetch`. @throws {MalformedError} also if there is no such place. */
export function parseFetch(data: Bytes): FetchRequest {
  const reader = new Reader(data);
  const index = reader.take(HASH_BYTES);
  const place = reader.u8();
  reader.end();
  if (place >= BLOBS_LIMIT) {
    throw new MalformedError(`Cannot find a descriptor: no place ${place}`);
  }
  return { index, place };
}

/**
 * Reads FETCHED: a sealed descriptor (1,280), or nothing if there is none at this place.
 *
 * @throws {MalformedError}
 */
export function parseFetched(data: Bytes): Bytes | undefined {
  if (data.length === 0) return undefined;
  const reader = new Reader(data);
  const blob = reader.take(BLOB_BYTES);
  reader.end();
  return blob;
}
