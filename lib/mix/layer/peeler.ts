import { AEAD_TAG_BYTES, X25519_BYTES } from "../../protocol/mod.ts";
import type { Bytes, DhKeyPair, LayerCipher } from "../../protocol/mod.ts";
import type { RoundId } from "../round.ts";
import type { Circuits } from "./circuits.ts";
import { Direction, layerCipher } from "./direction.ts";
import { acceptKey, CIRCUIT_ID_BYTES, onionContext } from "./onion_key.ts";

/** What an onion was under its layer. */
export interface Peeled {
  /** The onion for the next mix, or the payload. */
  readonly inner: ArrayBuffer;
  /** What its reply is sealed with. */
  readonly key: CryptoKey;
  /** What the circuit is called that it sets up, 16 bytes. */
  readonly circuitId?: Bytes;
}

/** How a mix takes its layer off the onions of one round. */
export interface Peeler {
  /** Resolves with `undefined` or rejects if the onion is none of this round and mix. */
  peel(onion: Bytes): Promise<Peeled | undefined>;
}

/**
 * Length in bytes of what an onion begins with, which no two onions of a round may have in common: a key,
 * or the name of a circuit.
 */
export function headBytes(keyPair: DhKeyPair | undefined): number {
  return keyPair === undefined ? CIRCUIT_ID_BYTES : X25519_BYTES;
}

/** Length in bytes of what a layer adds. */
export function layerBytes(keyPair: DhKeyPair | undefined): number {
  return headBytes(keyPair) + AEAD_TAG_BYTES;
}

/** Agrees on a key with every onion anew. */
export class AgreeingPeeler implements Peeler {
  readonly #keyPair: DhKeyPair;
  readonly #context: Bytes;
  readonly #setsUp: boolean;
  readonly #cipher: LayerCipher = layerCipher(Direction.FORWARD, 0);

  /**
   * @param keyPair the mix's onion key.
   * @param setsUp whether the onions set up circuits.
   */
  constructor(keyPair: DhKeyPair, round: RoundId, setsUp: boolean) {
    this.#keyPair = keyPair;
    this.#setsUp = setsUp;
    this.#context = onionContext(round);
  }

  async peel(onion: Bytes): Promise<Peeled> {
    const { key, circuitId } = await acceptKey(
      this.#keyPair,
      onion.subarray(0, X25519_BYTES),
      this.#context,
    );
    const inner = await this.#cipher.open(key, onion.subarray(X25519_BYTES));
    if (!this.#setsUp) return { inner, key };
    return { inner, key, circuitId: await circuitId() };
  }
}

/** Takes the keys of circuits that an earlier round has set up. */
export class CircuitPeeler implements Peeler {
  readonly #circuits: Circuits<CryptoKey>;
  readonly #cipher: LayerCipher;

  /** @param index which of its run's rounds it is. */
  constructor(circuits: Circuits<CryptoKey>, index: number) {
    this.#circuits = circuits;
    this.#cipher = layerCipher(Direction.FORWARD, index);
  }

  async peel(onion: Bytes): Promise<Peeled | undefined> {
    const key = this.#circuits.get(
      onion.subarray(0, CIRCUIT_ID_BYTES).toHex(),
    );
    if (key === undefined) return undefined;
    const sealed = onion.subarray(CIRCUIT_ID_BYTES);
    return { inner: await this.#cipher.open(key, sealed), key };
  }
}
