import type { OnionLayers } from "../../../lib/mix/client/onion_layers.ts";
import { concat, CryptoError } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";

/**
 * Layers that hide nothing and have the right lengths: a payload behind which there are zeros. A reply
 * opens if zeros are behind it, too.
 */
export const PLAIN_LAYERS: OnionLayers = {
  wrap: (payload, chain) => Promise.resolve(plain(payload, chain.length, 48)),
  setUp: (chain) =>
    Promise.resolve({
      ...plain(new Uint8Array(0), chain.length, 48),
      circuit: {
        wrap: (payload) => Promise.resolve(plain(payload, chain.length, 32)),
      },
    }),
};

function plain(payload: Bytes, mixes: number, layer: number): {
  onion: Bytes;
  openReply(reply: Bytes): Promise<Bytes>;
} {
  return {
    onion: concat(payload, new Uint8Array(layer * mixes)),
    openReply(reply) {
      const end = reply.length - 16 * mixes;
      return reply.subarray(end).every((byte) => byte === 0)
        ? Promise.resolve(reply.slice(0, end))
        : Promise.reject(new CryptoError("Cannot open a reply"));
    },
  };
}
