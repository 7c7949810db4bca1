/** How fast tokens come and how many are kept at most. */
export interface BucketRate {
  /** Tokens that come in a second. */
  readonly perSecond: number;
  /** Tokens that are kept at most. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Addresses remembered before full buckets are forgotten. */
const REMEMBERED = 10_000;

/** One token bucket per key, such as an address. A bucket that is full again is forgotten. */
export class TokenBuckets {
  readonly #rate: BucketRate;
  readonly #buckets = new Map<string, Bucket>();

  /** Every bucket is full at first. */
  constructor(rate: BucketRate) {
    this.#rate = rate;
  }

  /**
   * Takes a token; 0 if there was one, otherwise how many milliseconds until there is.
   *
   * @param now milliseconds, from any steady clock.
   */
  take(key: string, now: number): number {
    const { perSecond, burst } = this.#rate;
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(
      burst,
      bucket.tokens + Math.max(0, now - bucket.at) * perSecond / 1_000,
    );
    if (tokens < 1) {
      this.#buckets.set(key, { tokens, at: now });
      return Math.ceil((1 - tokens) * 1_000 / perSecond);
    }
    this.#buckets.set(key, { tokens: tokens - 1, at: now });
    if (this.#buckets.size > REMEMBERED) this.#forget(now);
    return 0;
  }

  #forget(now: number): void {
    const { perSecond, burst } = this.#rate;
    for (const [key, { tokens, at }] of this.#buckets) {
      if (tokens + (now - at) * perSecond / 1_000 >= burst) {
        this.#buckets.delete(key);
      }
    }
  }
}
