import type { Bytes } from "../../protocol/mod.ts";

/** The circuits of one run at one mix: those that its first round has set up, and their keys. */
export class MixCircuits {
  readonly #keys = new Map<string, CryptoKey>();
  #isErased = false;

  /** How many there are. */
  get size(): number {
    return this.#keys.size;
  }

  /** Takes a circuit on, unless they were erased. @param id 16 bytes. */
  set(id: Bytes, key: CryptoKey): void {
    if (!this.#isErased) this.#keys.set(id.toHex(), key);
  }

  /** The key of a circuit, or `undefined` if there is none of that id (16 bytes). */
  get(id: Bytes): CryptoKey | undefined {
    return this.#keys.get(id.toHex());
  }

  /** Forgets them all, and those that an agreement under way would still bring. */
  erase(): void {
    this.#isErased = true;
    this.#keys.clear();
  }
}
