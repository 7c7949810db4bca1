import type { Bytes, DhKeyPair } from "../../protocol/mod.ts";
import {
  concat,
  HASH_BYTES,
  MalformedError,
  Reader,
  utf8,
  Writer,
} from "../../protocol/mod.ts";
import { HOPS_LIMIT } from "../cell/cell.ts";
import { KeyAcceptance, KeyOffer } from "../circuit/key_agreement.ts";
import type { PointFields } from "./service_descriptor.ts";
import { COOKIE_BYTES } from "./service_message.ts";

/**
 * The handshake between a client and a service (SPEC.md §12.8; rend-spec-v3 §3.3): that of a hop, to the
 * sealing key of the introduction point. Its first message goes by way of that point and tells the
 * service where the client waits; the second by way of the rendezvous.
 */

const LABEL = utf8("sotto introduction 1");

/** Where a client waits for the service. */
export interface Meeting {
  /** Fingerprint of the relay, 32 bytes. */
  readonly relay: Bytes;
  /** By what that relay knows the client's circuit, 32 bytes. */
  readonly cookie: Bytes;
  /** Hops of the client's circuit, 1 to 7; the service's must have as many. */
  readonly hops: number;
}

/** Begins the handshake by way of `point`, which only the service there can go on with. */
export async function offerMeeting(
  { relay, cookie, hops }: Meeting,
  point: PointFields,
  fingerprint: Bytes,
): Promise<KeyOffer> {
  const payload = new Writer(65).bytes(relay).bytes(cookie).u8(hops).done();
  const prologue = prologueOf(fingerprint, point.authKey);
  return await KeyOffer.begin(prologue, point.sealKey, payload);
}

/**
 * The service's side.
 *
 * @param pair of the sealing key of the point that the message came by.
 * @throws {MalformedError | CryptoError} if it was not made for this service and this point.
 */
export async function readMeeting(
  message: Bytes,
  pair: DhKeyPair,
  authKey: Bytes,
  fingerprint: Bytes,
): Promise<{ readonly meeting: Meeting; readonly acceptance: KeyAcceptance }> {
  const prologue = prologueOf(fingerprint, authKey);
  const acceptance = await KeyAcceptance.read(prologue, pair, message);
  const reader = new Reader(acceptance.payload);
  const relay = reader.take(HASH_BYTES);
  const cookie = reader.take(COOKIE_BYTES);
  const hops = reader.u8();
  reader.end();
  if (hops < 1 || hops >= HOPS_LIMIT) {
    throw new MalformedError(`Cannot meet a client: over ${hops} hops`);
  }
  return { meeting: { relay, cookie, hops }, acceptance };
}

function prologueOf(fingerprint: Bytes, authKey: Bytes): Bytes {
  return concat(LABEL, fingerprint, authKey);
}
