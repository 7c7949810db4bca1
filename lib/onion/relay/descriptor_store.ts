import type { Bytes } from "../../protocol/mod.ts";
import { BLOBS_LIMIT } from "../service/service_message.ts";

/** How long a descriptor is kept, in milliseconds: 3 hours; services publish every hour. */
const KEPT_FOR = 10_800_000;
/** Descriptors that are kept in all: 5 MiB. */
const DESCRIPTORS_LIMIT = 4_096;

interface Kept {
  readonly blob: Bytes;
  readonly expiresAt: number;
}

/**
 * The sealed service descriptors that a relay keeps (SPEC.md §12.8). It cannot tell what they are or who
 * may write them: under an index it keeps the newest four of whatever comes, and of all those that were
 * written last.
 */
export class DescriptorStore {
  readonly #now: () => number;
  readonly #limit: number;
  /** By index, the one that was written to last at the end; the newest of each first. */
  readonly #kept = new Map<string, readonly Kept[]>();
  #size = 0;

  /** `now` is milliseconds of a steady clock. */
  constructor(now: () => number, limit: number = DESCRIPTORS_LIMIT) {
    this.#now = now;
    this.#limit = limit;
  }

  /** How many it keeps. */
  get size(): number {
    return this.#size;
  }

  /** Keeps a descriptor. */
  put(index: Bytes, blob: Bytes): void {
    const key = index.toHex();
    const kept = this.#kept.get(key) ?? [];
    const newest = { blob, expiresAt: this.#now() + KEPT_FOR };
    // Behind all others, so that the first is the one that has gone longest without.
    this.#kept.delete(key);
    this.#set(key, kept, [newest, ...kept].slice(0, BLOBS_LIMIT));
    while (this.#size > this.#limit) {
      const [oldest, theirs] = this.#kept.entries().next().value!;
      this.#set(oldest, theirs, theirs.slice(0, -1));
    }
  }

  /** The descriptor at `place` of an index, 0 for the newest; `undefined` if there is none. */
  get(index: Bytes, place: number): Bytes | undefined {
    const key = index.toHex();
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const now = this.#now();
    const good = kept.filter(({ expiresAt }) => expiresAt > now);
    if (good.length < kept.length) this.#set(key, kept, good);
    return good[place]?.blob;
  }

  #set(key: string, before: readonly Kept[], after: readonly Kept[]): void {
    this.#size += after.length - before.length;
    if (after.length > 0) this.#kept.set(key, after);
    else this.#kept.delete(key);
  }
}
