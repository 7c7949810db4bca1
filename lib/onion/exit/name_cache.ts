import { withDeadline } from "./deadline.ts";
import type { Resolver } from "./resolver.ts";

/** Bounds of a {@linkcode NameCache}. */
export interface NameCacheLimits {
  /** Answers kept at most, and questions that may be open at once. */
  readonly entries: number;
  /** Milliseconds that an answer is kept. */
  readonly keep: number;
  /** Milliseconds that a resolver has for an answer. */
  readonly timeout: number;
}

/** Addresses of one name that are kept. */
const ANSWER_LIMIT = 32;

interface Entry {
  readonly answer: Promise<readonly string[]>;
  until: number;
}

/**
 * Remembers the addresses of names for a short while, so that the many connections of one page ask
 * once. A question that failed is forgotten; one that is open is shared by all who ask it.
 */
export class NameCache {
  readonly #resolver: Resolver;
  readonly #limits: NameCacheLimits;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  #open = 0;

  /** `now` is a steady clock in milliseconds. */
  constructor(resolver: Resolver, limits: NameCacheLimits, now: () => number) {
    this.#resolver = resolver;
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * The addresses of `name`, `undefined` if too many questions are open.
   *
   * Rejects if the resolver does, or takes too long.
   */
  addresses(name: string): Promise<readonly string[]> | undefined {
    const known = this.#entries.get(name);
    if (known !== undefined && known.until > this.#now()) return known.answer;
    if (this.#open >= this.#limits.entries) return undefined;
    const entry = { answer: this.#ask(name), until: Infinity };
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    entry.answer.then(
      () => entry.until = this.#now() + this.#limits.keep,
      () => this.#forget(name, entry),
    );
    this.#makeRoom();
    return entry.answer;
  }

  async #ask(name: string): Promise<readonly string[]> {
    this.#open++;
    try {
      const answer = await withDeadline(
        this.#limits.timeout,
        undefined,
        (signal) => this.#resolver.addresses(name, signal),
      );
      return answer.slice(0, ANSWER_LIMIT);
    } finally {
      this.#open--;
    }
  }

  /** Those that were asked for first go first; whoever waits for one has its promise already. */
  #makeRoom(): void {
    for (const name of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.entries) return;
      this.#entries.delete(name);
    }
  }

  #forget(name: string, entry: Entry): void {
    if (this.#entries.get(name) === entry) this.#entries.delete(name);
  }
}
