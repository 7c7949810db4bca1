import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { bucketOf } from "../dialing/buckets.ts";
import { TokenFilter } from "../dialing/filter.ts";
import { RoundKind } from "../round.ts";
import type { FetchedFilter } from "./entry_link.ts";
import type { DialSource } from "./sources.ts";

/** Filters that are fetched in a row at most: a day of dialing rounds, one every five seconds. */
const ROW_LIMIT = 17_280;

/** What listening for calls needs. */
export interface FilterListeningOptions {
  /** Decides the bucket, 32 bytes. */
  readonly certificateId: Bytes;
  /** Who is told; nobody if only the fetching is wanted. */
  readonly source: DialSource | undefined;
  /** Start of the last dialing round that was heard. */
  readonly heardUpTo: number;
  /** Asks the entry. */
  readonly fetch: (
    bucket: number,
    after: number,
  ) => Promise<FetchedFilter | undefined>;
  /** The filter of the dialing round that starts at `start` has come. */
  readonly heard: (start: number) => void;
  /** The source failed. */
  readonly fault: (error: unknown) => void;
}

/**
 * Fetches the filters of the own bucket, one for every dialing round: after each that is over, and those
 * that were missed. It does the same whether anybody calls or not.
 */
export class FilterListening {
  readonly #options: FilterListeningOptions;
  #heardUpTo: number;
  #latest = 0;
  #running: Promise<void> | undefined;

  /** Nothing is fetched before `listen`. */
  constructor(options: FilterListeningOptions) {
    this.#options = options;
    this.#heardUpTo = options.heardUpTo;
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
    this.#running ??= this.#run(buckets).finally(() =>
      this.#running = undefined
    );
    await this.#running;
  }

  async #run(buckets: number): Promise<void> {
    const { certificateId, fetch, source, heard, fault } = this.#options;
    const bucket = bucketOf(certificateId, buckets);
    for (let row = 0; row < ROW_LIMIT; row++) {
      const fetched = await fetch(bucket, this.#heardUpTo);
      if (fetched === undefined) return;
      const { start } = fetched;
      if (start <= this.#heardUpTo) {
        throw new MalformedError("Cannot take a filter: it was heard before");
      }
      this.#heardUpTo = start;
      heard(start);
      if (fetched.filter !== undefined) {
        const filter = TokenFilter.parse(fetched.filter);
        await source?.heard({ kind: RoundKind.DIALING, start }, filter)
          .catch(fault);
      }
      if (start >= this.#latest) return;
    }
  }
}
