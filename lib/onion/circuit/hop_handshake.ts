import type { Bytes, DhKeyPair } from "../../protocol/mod.ts";
import {
  concat,
  MalformedError,
  randomBytes,
  Reader,
  utf8,
  Writer,
  X25519_BYTES,
} from "../../protocol/mod.ts";
import { BODY_BYTES, HOPS_LIMIT, SMALL } from "../cell/cell.ts";
import { AGREEMENT_LIMIT, KeyAcceptance, KeyOffer } from "./key_agreement.ts";
import type { HopKeys } from "./layer_key.ts";

/**
 * The handshake with a hop (SPEC.md §12.3): that of every connection, to the relay's onion key. CREATE
 * and EXTEND carry onion key (32) ‖ length (2) ‖ first message; CREATED and EXTENDED length (2) ‖ second
 * message. The first message tells the relay its position, so that it knows how long its layer is.
 */

const LABEL = utf8("sotto hop 1");

/** A relay does not hold the onion key that a hop was asked of. */
export class OnionKeyError extends Error {
  /** The name of this class. */
  override readonly name = "OnionKeyError";
  /** Stable, for programs. */
  readonly code = "ERR_ONION_KEY";
}

/** Which relay a hop is made with. */
export interface HopTarget {
  /** The fingerprint of its certificate, 32 bytes. */
  readonly fingerprint: Bytes;
  /** Its onion key, X25519, 32 bytes. */
  readonly onionKey: Bytes;
}

/** The client's side of one handshake. */
export class HopHandshake {
  readonly #offer: KeyOffer;
  /** What goes into CREATE, or behind the fingerprint into EXTEND. */
  readonly request: Bytes;

  private constructor(offer: KeyOffer, request: Bytes) {
    this.#offer = offer;
    this.request = request;
  }

  /** Begins a handshake with the relay that will be the hop at `position`, 1 for the first. */
  static async begin(
    { fingerprint, onionKey }: HopTarget,
    position: number,
  ): Promise<HopHandshake> {
    const offer = await KeyOffer.begin(
      concat(LABEL, fingerprint),
      onionKey,
      Uint8Array.of(position),
    );
    const request = new Writer(2_048).bytes(onionKey)
      .prefixed(2, offer.message).done();
    return new HopHandshake(offer, request);
  }

  /**
   * Ends it with what CREATED or EXTENDED has brought.
   *
   * @throws {MalformedError | CryptoError} if the relay does not hold the onion key, or somebody on
   * the way has meddled.
   */
  async finish(answer: Bytes): Promise<HopKeys> {
    const reader = new Reader(answer);
    return await this.#offer.finish(reader.prefixed(2, AGREEMENT_LIMIT));
  }
}

/** What a relay has agreed on with a client. */
export interface AcceptedHop {
  /** Its keys. */
  readonly keys: HopKeys;
  /** Which hop of the circuit it is, from 1. */
  readonly position: number;
  /** For CREATED. */
  readonly answer: Bytes;
}

/**
 * The relay's side: answers CREATE.
 *
 * @param fingerprint of the relay's own certificate.
 * @param onionKeys the pairs that are good now; the newest and those that clients may still know.
 * @throws {OnionKeyError} if the client has used another one.
 * @throws {MalformedError | CryptoError} if the request does not hold together.
 */
export async function acceptHop(
  request: Bytes,
  fingerprint: Bytes,
  onionKeys: readonly DhKeyPair[],
): Promise<AcceptedHop> {
  const reader = new Reader(request);
  const onionKey = reader.take(X25519_BYTES);
  const pair = onionKeys.find(({ publicKey }) =>
    publicKey.every((byte, i) => byte === onionKey[i])
  );
  if (pair === undefined) {
    throw new OnionKeyError("Cannot make a hop: the onion key is not ours");
  }
  const acceptance = await KeyAcceptance.read(
    concat(LABEL, fingerprint),
    pair,
    reader.prefixed(2, AGREEMENT_LIMIT),
  );
  const { payload } = acceptance;
  const position = payload[0] ?? 0;
  if (payload.length !== 1 || position < 1 || position > HOPS_LIMIT) {
    throw new MalformedError("Cannot make a hop: there is no such position");
  }
  const { answer, keys } = await acceptance.finish();
  return {
    keys,
    position,
    answer: new Writer(2_048).prefixed(2, answer).done(),
  };
}

/** A handshake message in the body of a small cell, filled up with noise. */
export function handshakeBody(message: Bytes): Bytes {
  return concat(message, randomBytes(BODY_BYTES[SMALL] - message.length));
}
