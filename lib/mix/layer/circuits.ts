/** What is known of the circuits of one run: at an engine their keys, at the mix at which engine they are. */
export class Circuits<T> {
  readonly #known = new Map<string, T>();
  #isErased = false;

  /** How many there are. */
  get size(): number {
    return this.#known.size;
  }

  /** Takes one on, unless they were erased. @param id 16 bytes in hex. */
  set(id: string, known: T): void {
    if (!this.#isErased) this.#known.set(id, known);
  }

  /** What is known of a circuit; `undefined` if there is none of that id (16 bytes in hex). */
  get(id: string): T | undefined {
    return this.#known.get(id);
  }

  /** Forgets them all, and those that an agreement under way would still bring. */
  erase(): void {
    this.#isErased = true;
    this.#known.clear();
  }
}
