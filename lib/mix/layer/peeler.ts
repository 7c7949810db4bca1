import { AEAD_TAG_BYTES, X25519_BYTES } from "../../protocol/mod.ts";
import type { Bytes, DhKeyPair, LayerCipher } from "../../protocol/mod.ts";
import type { RoundId } from "../round.ts";
import { Direction, layerCipher } from "./direction.ts";
import type { MixCircuits } from "./mix_circuits.ts";
import { acceptKey, CIRCUIT_ID_BYTES, onionContext } from "./onion_key.ts";

/** What an onion was under its layer. */
export interface Peeled {
  /** The onion for the next mix, or the payload. */
  readonly inner: ArrayBuffer;
  /** What its reply is sealed with. */
  readonly key: CryptoKey;
}

/** How a mix takes its layer off the onions of one round. */
export interface Peeler {
  /** Length in bytes of what an onion begins with, which no two onions of a round may have in common. */
  readonly headBytes: number;
  /** Resolves with `undefined` or rejects if the onion is none of this round and mix. */
  peel(onion: Bytes): Promise<Peeled | undefined>;
}

/** Length in bytes of what a layer adds. */
export function layerBytes({ headBytes }: Peeler): number {
  return headBytes + AEAD_TAG_BYTES;
}

/** Agrees on a key with every onion anew. */
export class AgreeingPeeler implements Peeler {
  readonly headBytes = X25519_BYTES;
  readonly #keyPair: DhKeyPair;
  readonly #context: Bytes;
  readonly #circuits: MixCircuits | undefined;
  readonly #cipher: LayerCipher = layerCipher(Direction.FORWARD, 0);

  /** @param circuits is told of the circuits, if this round sets them up. */
  constructor(keyPair: DhKeyPair, round: RoundId, circuits?: MixCircuits) {
    this.#keyPair = keyPair;
    this.#context = onionContext(round);
    this.#circuits = circuits;
  }

  async peel(onion: Bytes): Promise<Peeled> {
    const { key, circuitId } = await acceptKey(
      this.#keyPair,
      onion.subarray(0, X25519_BYTES),
      this.#context,
    );
    const sealed = onion.subarray(X25519_BYTES);
    const inner = await this.#cipher.open(key, sealed);
    this.#circuits?.set(circuitId, key);
    return { inner, key };
  }
}

/** Takes the keys of circuits that an earlier round has set up. */
export class CircuitPeeler implements Peeler {
  readonly headBytes = CIRCUIT_ID_BYTES;
  readonly #circuits: MixCircuits;
  readonly #cipher: LayerCipher;

  constructor(circuits: MixCircuits, index: number) {
    this.#circuits = circuits;
    this.#cipher = layerCipher(Direction.FORWARD, index);
  }

  async peel(onion: Bytes): Promise<Peeled | undefined> {
    const key = this.#circuits.get(onion.subarray(0, CIRCUIT_ID_BYTES));
    if (key === undefined) return undefined;
    const sealed = onion.subarray(CIRCUIT_ID_BYTES);
    return { inner: await this.#cipher.open(key, sealed), key };
  }
}
