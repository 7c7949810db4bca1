import type { Bytes } from "../../protocol/mod.ts";

/** The filters of a dialing round. */
export interface ShelvedRound {
  /** When it started, in milliseconds since 1970. */
  readonly start: number;
  /** Of every bucket, from 0 on. */
  readonly filters: readonly Bytes[];
}

/**
 * Keeps the filters of dialing rounds in memory for those who come back, until they are too old, or
 * the younger ones need the room.
 */
export class FilterShelf {
  readonly #retention: number;
  readonly #limit: number;
  #rounds: ShelvedRound[] = [];
  #bytes = 0;

  /**
   * An empty one.
   *
   * @param retention how long filters are kept, in milliseconds.
   * @param limit how many bytes of them at most.
   */
  constructor(retention: number, limit: number) {
    this.#retention = retention;
    this.#limit = limit;
  }

  /** Bytes of the filters that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Rounds whose filters are kept. */
  get rounds(): number {
    return this.#rounds.length;
  }

  /** Takes the filters of a round, and lets go of what is too old by `now`. */
  put(round: ShelvedRound, now: number): void {
    // Several rounds are under way at a time: a later one may be over before an earlier one.
    this.#rounds.splice(this.#after(round.start), 0, round);
    this.#bytes += bytesOf(round);
    let stale = 0;
    while (stale < this.#rounds.length && this.#mustGo(stale, now)) {
      this.#bytes -= bytesOf(this.#rounds[stale]!);
      stale++;
    }
    this.#rounds.splice(0, stale);
  }

  /** The filters of the first round that started after `start`, if there is one. */
  next(start: number): ShelvedRound | undefined {
    return this.#rounds[this.#after(start)];
  }

  #mustGo(index: number, now: number): boolean {
    return this.#bytes > this.#limit ||
      this.#rounds[index]!.start < now - this.#retention;
  }

  /** Index of the first round that started after `start`, by halving. */
  #after(start: number): number {
    let [from, to] = [0, this.#rounds.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#rounds[middle]!.start > start) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

/** An object of its own for each, however small. */
const EACH_BYTES = 128;

function bytesOf({ filters }: ShelvedRound): number {
  return filters.reduce(
    (sum, { length }) => sum + length + EACH_BYTES,
    EACH_BYTES,
  );
}
