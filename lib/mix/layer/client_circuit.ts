import type { Bytes } from "../../protocol/mod.ts";
import type { RoundId } from "../round.ts";
import { offerKeys } from "./wrap_onion.ts";
import { wrapInLayers } from "./wrapped_onion.ts";
import type { ClientLayer, WrappedOnion } from "./wrapped_onion.ts";

/** A new circuit, and the onion that tells the mixes of it. */
export interface CircuitSetUp extends WrappedOnion {
  /** Good for the run's other rounds once `openReply` of the first has opened its reply, which is empty. */
  readonly circuit: ClientCircuit;
}

/**
 * Keys that a client shares with the mixes of a chain for one run: one onion in each round. Mixes can tell
 * that the onions of one circuit come from the same client; that is what circuits cost.
 */
export class ClientCircuit {
  readonly #layers: readonly ClientLayer[];
  readonly #used = new Set<number>();

  private constructor(layers: readonly ClientLayer[]) {
    this.#layers = layers;
  }

  /**
   * Makes a circuit through `chain` (onion keys of the run, 32 bytes each, in order).
   *
   * @param round the first of the run, which sets up.
   * @throws {CryptoError} if a key is no X25519 key, or one of low order.
   */
  static async setUp(
    chain: readonly Bytes[],
    round: RoundId,
  ): Promise<CircuitSetUp> {
    const keys = await offerKeys(chain, round);
    const { onion, openReply } = await wrapInLayers(
      new Uint8Array(0),
      keys.map(({ ephemeral, key }) => ({ head: ephemeral, key })),
      0,
    );
    const circuit = new ClientCircuit(
      await Promise.all(
        keys.map(async ({ circuitId, key }) => ({
          head: await circuitId(),
          key,
        })),
      ),
    );
    return { onion, openReply, circuit };
  }

  /**
   * Makes the circuit's onion of a round: 32 bytes for each mix longer than `payload`.
   *
   * @param index which of the run's rounds it is, from 1 on; each only once, because a second onion would
   *   be sealed with what the first one was sealed with.
   * @throws {RangeError} if it is none, or there has been an onion of that round.
   */
  async wrap(payload: Bytes, index: number): Promise<WrappedOnion> {
    if (!Number.isInteger(index) || index < 1 || this.#used.has(index)) {
      throw new RangeError(
        `Cannot make an onion of round ${index}: not one of 1, 2 .. without one`,
      );
    }
    this.#used.add(index);
    return await wrapInLayers(payload, this.#layers, index);
  }
}
