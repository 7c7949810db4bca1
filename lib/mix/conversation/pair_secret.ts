import type { Certificate } from "../../identity/mod.ts";
import type { Bytes, DhKeyPair } from "../../protocol/mod.ts";
import {
  concat,
  dh,
  HASH_BYTES,
  hkdfSha256,
  hmacSha256,
  u64,
  utf8,
} from "../../protocol/mod.ts";

/** Length of a call's id in bytes. */
const CALL_ID_BYTES = 16;

const PAIR = utf8("sotto mix pair v1");
const DIAL = utf8("dial");
const CALL = utf8("sotto mix call v1");
const ID = utf8("id");

/**
 * What two people have in common without having spoken: HKDF of the agreement of their identity keys,
 * bound to both certificates. 32 bytes, the same for both. Whoever learns one of the private keys can
 * compute it: it finds people, it does not protect what they say.
 *
 * @throws {CryptoError} if the peer's key has low order.
 */
export async function pairSecret(
  own: { readonly certificate: Certificate; readonly dh: DhKeyPair },
  peer: Certificate,
): Promise<Bytes> {
  const ids = isLower(own.certificate.id, peer.id)
    ? concat(own.certificate.id, peer.id)
    : concat(peer.id, own.certificate.id);
  const shared = await dh(own.dh.privateKey, peer.dhKey);
  return await hkdfSha256(shared, ids, PAIR, HASH_BYTES);
}

/**
 * What the caller leaves in the callee's bucket in the dialing round that starts then: 32 bytes that
 * look random to everybody else.
 *
 * @param callerId id of the caller's certificate.
 */
export function dialToken(
  pair: Bytes,
  start: number,
  callerId: Bytes,
): Promise<Bytes> {
  return hmacSha256(pair, concat(DIAL, u64(BigInt(start)), callerId));
}

/** The secret of the call that a token makes, 32 bytes: where its key wheel begins. */
export function callSecret(pair: Bytes, token: Bytes): Promise<Bytes> {
  return hkdfSha256(pair, token, CALL, HASH_BYTES);
}

/** What signatures name a call by, 16 bytes. */
export async function callId(call: Bytes): Promise<Bytes> {
  return (await hmacSha256(call, ID)).slice(0, CALL_ID_BYTES);
}

/** Whether `a` comes before `b`, of the same length, byte by byte. */
export function isLower(a: Bytes, b: Bytes): boolean {
  return a.toHex() < b.toHex();
}
