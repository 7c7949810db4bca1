import { AEAD_NONCE_BYTES, LayerCipher, Writer } from "../../protocol/mod.ts";

/** Which way a layer travels. */
export const Direction = {
  /** From the client to the last mix. */
  FORWARD: 0,
  /** Back to the client. */
  BACK: 1,
} as const;
/** One of the numbers in `Direction`. */
export type Direction = typeof Direction[keyof typeof Direction];

/**
 * What seals and opens the layers of a round in one direction: a key is used once in a round and
 * direction, so that direction u8 ‖ 7 zero bytes ‖ index u32 never repeats as its nonce.
 *
 * @param index which of its run's rounds it is if circuits are used, and 0 otherwise.
 */
export function layerCipher(direction: Direction, index: number): LayerCipher {
  const nonce = new Writer(AEAD_NONCE_BYTES).u8(direction)
    .bytes(new Uint8Array(7)).u32(index).done();
  return new LayerCipher(nonce);
}
