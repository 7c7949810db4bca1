import type { CommandChannel } from "../protocol/mod.ts";
import { CommandWriter, HELO } from "../protocol/mod.ts";

/** A server that is silent for so long is asked whether it is there, in milliseconds. */
const ASK_AFTER = 30_000;
/** Time for an answer to that, in milliseconds. */
const ANSWER_WITHIN = 30_000;

/** Notices that the other side of a connection is gone without having said so, and drops it. */
export class KeepAlive implements Disposable {
  readonly #link: CommandChannel;
  readonly #timer: ReturnType<typeof setInterval>;
  #seen = performance.now();

  constructor(link: CommandChannel) {
    this.#link = link;
    this.#timer = setInterval(() => this.#look(), ASK_AFTER / 2);
  }

  /** Something has come in. */
  seen(): void {
    this.#seen = performance.now();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const silence = performance.now() - this.#seen;
    if (silence > ASK_AFTER + ANSWER_WITHIN) this.#link.abort();
    else if (silence > ASK_AFTER) {
      this.#link.send(new CommandWriter().verb(HELO).done())
        .catch(() => {/* whoever reads is told */});
    }
  }
}
