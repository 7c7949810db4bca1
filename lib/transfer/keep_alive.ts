import type { CommandChannel } from "../protocol/mod.ts";
import { CommandWriter, HELO } from "../protocol/mod.ts";

/** Between two questions whether the other side is there, in milliseconds. */
const ASK_EVERY = 30_000;
/**
 * A server that is silent for so long while it is waited for is gone, in milliseconds. Two pieces may
 * have to go first, which take so long at 3.5 kB/s.
 */
const SILENCE = 300_000;

/**
 * Says HELO now and then, also while pieces flow: the server gives up a client of which it hears
 * nothing. And drops the connection to a server that is gone without having said so.
 */
export class KeepAlive implements Disposable {
  readonly #link: CommandChannel;
  readonly #timer: ReturnType<typeof setInterval>;
  #waitingSince = Infinity;

  constructor(link: CommandChannel) {
    this.#link = link;
    this.#timer = setInterval(() => this.#look(), ASK_EVERY);
  }

  /** Waits for what the server says: only then its silence means anything. */
  async wait<T>(coming: Promise<T>): Promise<T> {
    this.#waitingSince = performance.now();
    try {
      return await coming;
    } finally {
      this.#waitingSince = Infinity;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const silence = performance.now() - this.#waitingSince;
    if (silence > SILENCE) return this.#link.abort();
    this.#link.send(new CommandWriter().verb(HELO).done())
      .catch(() => {/* whoever reads is told */});
  }
}
