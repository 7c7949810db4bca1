/** Whoever holds cells or data, and can be made to let go of some. */
export interface MemoryHolder {
  /** When the oldest of what it holds came, in milliseconds of a steady clock; `undefined` for nothing. */
  oldest(): number | undefined;
  /** Destroys the circuit that the oldest belongs to. */
  relieve(): void;
}

/**
 * How much all circuits together may hold. When it is too much, the circuit goes whose data have waited
 * longest: a reader that stops reading (the sniper attack, Jansen et al., NDSS 2014) loses its own.
 */
export class QueueMemory {
  readonly #limit: number;
  readonly #holders = new Set<MemoryHolder>();
  #used = 0;
  #relieving = false;

  /** `limit` is in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are held now. */
  get used(): number {
    return this.#used;
  }

  /** Takes somebody on; the result lets it go. */
  enter(holder: MemoryHolder): () => void {
    this.#holders.add(holder);
    return () => this.#holders.delete(holder);
  }

  /** So many bytes more are held, or fewer. */
  change(bytes: number): void {
    this.#used += bytes;
    // Whoever lets go of a circuit says so to its neighbours, which takes memory and leads here again.
    if (bytes <= 0 || this.#relieving) return;
    this.#relieving = true;
    try {
      this.#relieve();
    } finally {
      this.#relieving = false;
    }
  }

  #relieve(): void {
    while (this.#used > this.#limit) {
      const before = this.#used;
      this.#oldestHolder()?.relieve();
      if (this.#used >= before) return;
    }
  }

  #oldestHolder(): MemoryHolder | undefined {
    let found: MemoryHolder | undefined;
    let least = Infinity;
    for (const holder of this.#holders) {
      const since = holder.oldest() ?? Infinity;
      if (since < least) [found, least] = [holder, since];
    }
    return found;
  }
}
