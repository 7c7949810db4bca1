import type { CommandChannel } from "../protocol/mod.ts";
import { CommandWriter, HELO } from "../protocol/mod.ts";

/** Between two questions whether the other side is there, in milliseconds. */
const ASK_EVERY = 30_000;
/** A server that is silent for so long, though it was asked, is gone; in milliseconds. */
const SILENCE = 60_000;

/**
 * Says HELO now and then, also while pieces flow: the server gives up a client of which it hears
 * nothing. And drops the connection to a server that is gone without having said so.
 */
export class KeepAlive implements Disposable {
  readonly #link: CommandChannel;
  readonly #timer: ReturnType<typeof setInterval>;
  #seen = performance.now();

  constructor(link: CommandChannel) {
    this.#link = link;
    this.#timer = setInterval(() => this.#look(), ASK_EVERY);
  }

  /** Something has come in. */
  seen(): void {
    this.#seen = performance.now();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (performance.now() - this.#seen > SILENCE) return this.#link.abort();
    this.#link.send(new CommandWriter().verb(HELO).done())
      .catch(() => {/* whoever reads is told */});
  }
}
