import type { Io } from "./io.ts";
import { MovingRate } from "./moving_rate.ts";
import { progressLine } from "./progress_line.ts";

/** What a transfer is about. */
export interface ProgressOptions {
  /** What is transferred; may come from anywhere. */
  readonly name: string;
  /** Bytes in all, if that is known. */
  readonly total?: number | undefined;
  /** Bytes that were done before, by a transfer that is resumed. */
  readonly done?: number;
  /** Nothing is shown. */
  readonly quiet?: boolean | undefined;
}

/** Between two drawings, in milliseconds. */
const REDRAW_EVERY = 100;
const ERASE_ROW = "\r\x1b[K";

/**
 * How far a transfer is, as one line on standard error that is drawn over and over; only where a
 * person reads there. It has no timer of its own: the line moves when `update` or `tick` is called,
 * and is drawn ten times a second at most. A line that cannot be written is given up without a word.
 */
export class Progress {
  readonly #io: Io;
  readonly #name: string;
  readonly #rate: MovingRate;
  #total: number | undefined;
  #done: number;
  #shown: boolean;
  #drawnAt = -Infinity;
  /** The last writing; while it goes on nothing else is drawn, for a terminal may be slow. */
  #writing: Promise<void> | undefined;

  constructor(io: Io, options: ProgressOptions) {
    this.#io = io;
    this.#name = options.name;
    this.#total = options.total;
    this.#done = options.done ?? 0;
    this.#rate = new MovingRate(io.now(), this.#done);
    this.#shown = io.stderr.isTerminal && options.quiet !== true;
  }

  /**
   * So far it is.
   *
   * @param done bytes, all together.
   * @param total bytes in all, if that is known now.
   */
  update(done: number, total?: number): void {
    this.#done = done;
    if (total !== undefined) this.#total = total;
    this.tick();
  }

  /** Time has passed: to be called about every second, so that a transfer that stalls is seen to. */
  tick(): void {
    const now = this.#io.now();
    const since = now - this.#drawnAt;
    // Below 0 the clock was set back.
    const isEarly = since >= 0 && since < REDRAW_EVERY;
    if (!this.#shown || isEarly || this.#writing !== undefined) return;
    this.#drawnAt = now;
    this.#write(ERASE_ROW + this.#line());
  }

  /** Writes a line of its own; the progress goes on below it. */
  async note(text: string): Promise<void> {
    await this.#writing;
    const isDrawn = this.#shown && this.#drawnAt !== -Infinity;
    this.#drawnAt = -Infinity;
    await this.#io.stderr.write(`${isDrawn ? ERASE_ROW : ""}${text}\n`);
  }

  /**
   * Ends the line: takes it away, or with `keep` leaves it as it is now. Idempotent.
   *
   * @returns when standard error is free for other words.
   */
  async finish(keep = false): Promise<void> {
    await this.#writing;
    if (!this.#shown) return;
    const isDrawn = this.#drawnAt !== -Infinity;
    if (keep) this.#write(`${ERASE_ROW}${this.#line()}\n`);
    else if (isDrawn) this.#write(ERASE_ROW);
    this.#shown = false;
    await this.#writing;
  }

  #line(): string {
    return progressLine({
      name: this.#name,
      done: this.#done,
      total: this.#total,
      rate: this.#rate.measure(this.#io.now(), this.#done),
    }, this.#io.stderr.columns);
  }

  #write(text: string): void {
    this.#writing = this.#io.stderr.write(text)
      .catch(() => {
        this.#shown = false;
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }
}
