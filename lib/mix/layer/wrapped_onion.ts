import { concat, CryptoError } from "../../protocol/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { Direction, layerCipher } from "./direction.ts";

/** One layer as the client makes it. */
export interface ClientLayer {
  /** What lies before the sealed layer: an ephemeral key (32 bytes) or a circuit's id (16). */
  readonly head: Bytes;
  /** The key of the mix there. */
  readonly key: CryptoKey;
}

/** An onion and what opens its reply. */
export interface WrappedOnion {
  /** For the first mix. */
  readonly onion: Bytes;
  /**
   * What the last mix has sealed, out of what the first one gives back, 16 bytes for each mix longer.
   *
   * @throws {CryptoError} if a mix on the way has altered it, or dropped the onion.
   */
  openReply(reply: Bytes): Promise<Bytes>;
}

/**
 * Puts `payload` into layers, those of the first mix outside.
 *
 * @param layers in the order of the chain.
 * @param index which of its run's rounds it is if circuits are used, and 0 otherwise.
 */
export async function wrapInLayers(
  payload: Bytes,
  layers: readonly ClientLayer[],
  index: number,
): Promise<WrappedOnion> {
  const forward = layerCipher(Direction.FORWARD, index);
  let onion = payload;
  for (const { head, key } of layers.toReversed()) {
    onion = concat(head, new Uint8Array(await forward.seal(key, onion)));
  }
  return {
    onion,
    openReply: (reply) => openReply(reply, layers, index),
  };
}

async function openReply(
  reply: Bytes,
  layers: readonly ClientLayer[],
  index: number,
): Promise<Bytes> {
  const back = layerCipher(Direction.BACK, index);
  let opened = reply;
  try {
    for (const { key } of layers) {
      opened = new Uint8Array(await back.open(key, opened));
    }
  } catch (cause) {
    throw new CryptoError("Cannot open a reply", { cause });
  }
  return opened;
}
