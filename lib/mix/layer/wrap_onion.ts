import type { Bytes } from "../../protocol/mod.ts";
import type { RoundId } from "../round.ts";
import { offerKey, onionContext } from "./onion_key.ts";
import type { OfferedKey } from "./onion_key.ts";
import { wrapInLayers } from "./wrapped_onion.ts";
import type { WrappedOnion } from "./wrapped_onion.ts";

/**
 * Makes an onion of a round that has its own keys: 48 bytes for each mix longer than `payload`.
 *
 * @param chain the onion keys of the mixes in that round, 32 bytes each, in order; the part of a chain
 *   that follows a mix, if that mix makes noise.
 * @throws {CryptoError} if one of them is no X25519 key, or one of low order.
 */
export async function wrapOnion(
  payload: Bytes,
  chain: readonly Bytes[],
  round: RoundId,
): Promise<WrappedOnion> {
  const keys = await offerKeys(chain, round);
  const layers = keys.map(({ ephemeral, key }) => ({ head: ephemeral, key }));
  return await wrapInLayers(payload, layers, 0);
}

/**
 * New keys for one onion, one for each mix of the chain.
 *
 * @throws {RangeError} if there is no mix: the payload would go out as it is.
 */
export async function offerKeys(
  chain: readonly Bytes[],
  round: RoundId,
): Promise<OfferedKey[]> {
  if (chain.length === 0) {
    throw new RangeError("Cannot make an onion: there is no mix");
  }
  const context = onionContext(round);
  return await Promise.all(
    chain.map((publicKey) => offerKey(publicKey, context)),
  );
}
