import {
  concat,
  dh,
  ephemeralDh,
  importLayerKey,
  oneStepKdf,
  utf8,
  Writer,
} from "../../protocol/mod.ts";
import type { Bytes, DhKeyPair } from "../../protocol/mod.ts";
import type { RoundId } from "../round.ts";

/** Length of a circuit's id in bytes. */
export const CIRCUIT_ID_BYTES = 16;

/** What is derived of the secret, by the counter. */
const KEY_BLOCK = 1;
const ID_BLOCK = 2;

const LABEL = utf8("sotto mix onion v1");

/** What a client and a mix have agreed on with one onion. */
export interface OnionKey {
  /** ChaCha20-Poly1305, for the onion and for its reply. */
  readonly key: CryptoKey;
  /** What the circuit is called that this onion sets up if it does, 16 bytes. */
  circuitId(): Promise<Bytes>;
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
  const secret = await dh(privateKey, publicKey);
  const agreed = await derive(secret, concat(context, ephemeral, publicKey));
  return { ...agreed, ephemeral };
}

/**
 * The mix's side. `ephemeral` is part of what the key is derived from as the bytes that it is: whoever
 * writes the same point differently gets another key.
 *
 * @throws {CryptoError} if it has low order.
 */
export async function acceptKey(
  { privateKey, publicKey }: DhKeyPair,
  ephemeral: Bytes,
  context: Bytes,
): Promise<OnionKey> {
  const secret = await dh(privateKey, ephemeral);
  return await derive(secret, concat(context, ephemeral, publicKey));
}

async function derive(secret: Bytes, info: Bytes): Promise<OnionKey> {
  return {
    key: await importLayerKey(await oneStepKdf(secret, info, KEY_BLOCK)),
    circuitId: async () => {
      const block = await oneStepKdf(secret, info, ID_BLOCK);
      return block.subarray(0, CIRCUIT_ID_BYTES);
    },
  };
}
