import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { bucketOf } from "../dialing/buckets.ts";
import { TokenFilter } from "../dialing/filter.ts";
import { RoundKind } from "../round.ts";
import type { FetchedFilter } from "./entry_link.ts";
import type { HeardRounds } from "./heard_rounds.ts";
import type { DialSource } from "./sources.ts";

/** Filters that are fetched in a row at most: a day of dialing rounds, one every five seconds. */
const ROW_LIMIT = 17_280;

/** What listening for calls needs. */
export interface FilterListeningOptions {
  /** Decides the bucket, 32 bytes. */
  readonly certificateId: Bytes;
  /** Who is told; nobody if only the fetching is wanted. */
  readonly source: DialSource | undefined;
  /** Which rounds were heard. */
  readonly heard: HeardRounds;
  /** Milliseconds since 1970 on the coordinator's clock. */
  readonly now: number;
  /** Asks the entry. */
  readonly fetch: (
    bucket: number,
    after: number,
  ) => Promise<FetchedFilter | undefined>;
  /** The source failed. */
  readonly fault: (error: unknown) => void;
}

/** Rounds that are heard in a row. */
interface Row {
  readonly after: number;
  /** Start of the last one, or of the last that is known of. */
  readonly latest: () => number;
  /** None that starts later is taken in. */
  readonly limit: number;
  /** The filter of the dialing round that starts at `start` has come. */
  readonly heard: (start: number) => void;
}

/**
 * Fetches the filters of the own bucket, one for every dialing round: after each that is over, and those
 * that were missed. It does the same whether anybody calls or not. The entry gives a day's filters in
 * minutes, so whoever was away long hears first who calls now, and beside that who called before.
 */
export class FilterListening {
  readonly #options: FilterListeningOptions;
  #recentUpTo: number;
  #latest = 0;
  #running: Promise<void> | undefined;
  #makingUp: Promise<void> | undefined;

  /** Nothing is fetched before `listen`. */
  constructor(options: FilterListeningOptions) {
    this.#options = options;
    this.#recentUpTo = options.heard.recentFrom(options.now);
  }

  /**
   * Fetches what there is, up to the dialing round that starts at `latest` or beyond. While it does so
   * another call only says that there is more.
   *
   * @param buckets of a dialing round.
   * @throws {MalformedError} if the entry gives what is no filter, or of a round that was not asked for.
   * @throws whatever `fetch` rejects with.
   */
  async listen(latest: number, buckets: number): Promise<void> {
    this.#latest = Math.max(this.#latest, latest);
    this.#running ??= this.#hearRecent(buckets).finally(() =>
      this.#running = undefined
    );
    await this.#running;
    this.#makingUp ??= this.#makeUp(buckets).finally(() =>
      this.#makingUp = undefined
    );
    await this.#makingUp;
  }

  async #hearRecent(buckets: number): Promise<void> {
    await this.#hear(buckets, {
      after: this.#recentUpTo,
      latest: () => this.#latest,
      limit: Infinity,
      heard: (start) => {
        this.#recentUpTo = start;
        this.#options.heard.heard(start);
      },
    });
  }

  async #makeUp(buckets: number): Promise<void> {
    const { heard } = this.#options;
    const { gap } = heard;
    if (gap === undefined) return;
    const isAll = await this.#hear(buckets, {
      after: gap.after,
      latest: () => gap.upTo,
      limit: gap.upTo,
      heard: (start) => heard.madeUp(start),
    });
    if (isAll) heard.madeUp(gap.upTo);
  }

  /** Returns whether there are no more; else there are too many to be heard in a row. */
  async #hear(buckets: number, row: Row): Promise<boolean> {
    const { certificateId, fetch, source, fault } = this.#options;
    const bucket = bucketOf(certificateId, buckets);
    let { after } = row;
    for (let place = 0; place < ROW_LIMIT; place++) {
      const fetched = await fetch(bucket, after);
      if (fetched === undefined || fetched.start > row.limit) return true;
      const { start } = fetched;
      if (start <= after) {
        throw new MalformedError("Cannot take a filter: it was heard before");
      }
      after = start;
      row.heard(start);
      if (fetched.filter !== undefined) {
        const filter = TokenFilter.parse(fetched.filter);
        await source?.heard({ kind: RoundKind.DIALING, start }, filter)
          .catch(fault);
      }
      if (start >= row.latest()) return true;
    }
    return false;
  }
}
