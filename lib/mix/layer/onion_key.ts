import {
  AEAD_KEY_BYTES,
  agree,
  concat,
  ephemeralDh,
  importLayerKey,
  utf8,
  Writer,
} from "../../protocol/mod.ts";
import type { Bytes, DhKeyPair } from "../../protocol/mod.ts";
import type { RoundId } from "../round.ts";

/** Length of a circuit's id in bytes. */
export const CIRCUIT_ID_BYTES = 16;

const LABEL = utf8("sotto mix onion v1");

/** What a client and a mix have agreed on with one onion. */
export interface OnionKey {
  /** ChaCha20-Poly1305, for the onion and for its reply. */
  readonly key: CryptoKey;
  /** What the circuit that this onion sets up is called, 16 bytes. */
  readonly circuitId: Bytes;
}

/** The client's side: its key for one layer. */
export interface OfferedKey extends OnionKey {
  /** What the mix agrees from: the public half of a new X25519 pair, 32 bytes, in front of the layer. */
  readonly ephemeral: Bytes;
}

/** What keys of a round's onions are bound to: "sotto mix onion v1" ‖ kind u8 ‖ start u64. */
export function onionContext({ kind, start }: RoundId): Bytes {
  return new Writer(LABEL.length + 9).bytes(LABEL).u8(kind).u64(BigInt(start))
    .done();
}

/**
 * Agrees on the key of a layer for the mix whose onion key is `publicKey`.
 *
 * @throws {CryptoError} if that is no X25519 key, or one of low order.
 */
export async function offerKey(
  publicKey: Bytes,
  context: Bytes,
): Promise<OfferedKey> {
  const { publicKey: ephemeral, privateKey } = await ephemeralDh();
  const agreed = await derive(
    privateKey,
    publicKey,
    concat(ephemeral, publicKey),
    context,
  );
  return { ...agreed, ephemeral };
}

/**
 * The mix's side. `ephemeral` is part of what the key is derived from as the bytes that it is: whoever
 * writes the same point differently gets another key.
 *
 * @throws {CryptoError} if it has low order.
 */
export function acceptKey(
  { privateKey, publicKey }: DhKeyPair,
  ephemeral: Bytes,
  context: Bytes,
): Promise<OnionKey> {
  return derive(privateKey, ephemeral, concat(ephemeral, publicKey), context);
}

async function derive(
  privateKey: CryptoKey,
  publicKey: Bytes,
  salt: Bytes,
  context: Bytes,
): Promise<OnionKey> {
  const length = AEAD_KEY_BYTES + CIRCUIT_ID_BYTES;
  const derived = await agree(privateKey, publicKey, salt, context, length);
  return {
    key: await importLayerKey(derived.subarray(0, AEAD_KEY_BYTES)),
    circuitId: derived.subarray(AEAD_KEY_BYTES),
  };
}
