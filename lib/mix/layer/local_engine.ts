import type { Bytes, LayerCipher } from "../../protocol/mod.ts";
import { Circuits } from "./circuits.ts";
import { Direction, layerCipher } from "./direction.ts";
import { Lanes } from "./lanes.ts";
import type {
  EngineOpened,
  EngineRound,
  EngineRun,
  LayerEngine,
  RoundKeys,
} from "./layer_engine.ts";
import { CIRCUIT_ID_BYTES } from "./onion_key.ts";
import { AgreeingPeeler, CircuitPeeler } from "./peeler.ts";
import type { Peeled, Peeler } from "./peeler.ts";

/** Onions on which an engine works at a time: enough for WebCrypto's threads to be busy while this one is. */
const WIDTH = 8;

/** Does the cryptography of layers in the thread that it is called in. */
export class LocalEngine implements LayerEngine {
  readonly #lanes = new Lanes(WIDTH);

  begin(): EngineRun {
    const circuits = new Circuits<CryptoKey>();
    return {
      begin: (keys) => new LocalRound(keys, circuits, this.#lanes),
      erase: () => circuits.erase(),
    };
  }
}

class LocalRound implements EngineRound {
  readonly #keys: RoundKeys;
  readonly #circuits: Circuits<CryptoKey>;
  readonly #lanes: Lanes;
  readonly #peeler: Peeler;
  readonly #back: LayerCipher;
  /** What replies are sealed with, by the number of the onion; there is none of what did not open. */
  readonly #replyKeys: (CryptoKey | undefined)[] = [];
  /** Those of what did, once no more is opened. */
  #sealingKeys: CryptoKey[] | undefined;
  readonly #underWay = new Set<Promise<void>>();
  #isErased = false;

  constructor(keys: RoundKeys, circuits: Circuits<CryptoKey>, lanes: Lanes) {
    const { keyPair, round, index, setsUp } = keys;
    this.#keys = keys;
    this.#circuits = circuits;
    this.#lanes = lanes;
    this.#peeler = keyPair === undefined
      ? new CircuitPeeler(circuits, index)
      : new AgreeingPeeler(keyPair, round, setsUp);
    this.#back = layerCipher(Direction.BACK, index);
  }

  async open(onions: Bytes): Promise<EngineOpened> {
    const { sizes: { onion: size, inner: innerSize }, setsUp } = this.#keys;
    const count = onions.length / size;
    const first = this.#replyKeys.length;
    this.#replyKeys.length += count;
    const inner = new Uint8Array(count * innerSize);
    const isOpen = new Uint8Array(count);
    const circuitIds = new Uint8Array(setsUp ? count * CIRCUIT_ID_BYTES : 0);
    await this.#each(count, async (i) => {
      const onion = onions.subarray(i * size, (i + 1) * size);
      const peeled = await this.#peel(onion);
      if (peeled === undefined || this.#isErased) return;
      const { key, circuitId } = peeled;
      inner.set(new Uint8Array(peeled.inner), i * innerSize);
      isOpen[i] = 1;
      this.#replyKeys[first + i] = key;
      if (circuitId === undefined) return;
      this.#circuits.set(circuitId.toHex(), key);
      circuitIds.set(circuitId, i * CIRCUIT_ID_BYTES);
    });
    onions.fill(0);
    return { inner, isOpen, circuitIds };
  }

  async seal(first: number, count: number, replies: Bytes): Promise<Bytes> {
    const { reply: size, innerReply } = this.#keys.sizes;
    const keys = this.#sealingKeys ??= this.#replyKeys.filter((key) =>
      key !== undefined
    );
    const sealed = new Uint8Array(count * size);
    await this.#each(count, async (i) => {
      if (this.#isErased) return;
      const reply = replies.subarray(i * innerReply, (i + 1) * innerReply);
      const bytes = await this.#back.seal(keys[first + i]!, reply);
      sealed.set(new Uint8Array(bytes), i * size);
    });
    replies.fill(0);
    return sealed;
  }

  async erase(): Promise<void> {
    this.#isErased = true;
    this.#replyKeys.length = 0;
    this.#sealingKeys = undefined;
    await Promise.allSettled(this.#underWay);
  }

  async #peel(onion: Bytes): Promise<Peeled | undefined> {
    try {
      return this.#isErased ? undefined : await this.#peeler.peel(onion);
    } catch {
      // Whoever wrote it did not have the round's key, or somebody altered it: it is dropped.
      return undefined;
    }
  }

  async #each(
    count: number,
    work: (i: number) => Promise<void>,
  ): Promise<void> {
    const working = this.#lanes.each(count, work);
    this.#underWay.add(working);
    try {
      await working;
    } finally {
      this.#underWay.delete(working);
    }
  }
}
