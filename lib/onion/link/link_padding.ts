import type { Link } from "./link.ts";

/** Bounds of the random time after which an idle link is padded, in milliseconds (padding-spec §2.2). */
const SHORTEST = 1_500;
const LONGEST = 9_500;

/**
 * Sends a PADDING cell over a link that was idle for the larger of two random times: routers then keep
 * one flow record of a connection, and not one for each burst (padding-spec §2).
 */
export class LinkPadding {
  readonly #link: Link;
  readonly #now: () => number;
  readonly #random: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** `now` is milliseconds of the link's clock; `random` gives numbers from 0 to below 1. */
  constructor(
    link: Link,
    now: () => number,
    random: () => number = Math.random,
  ) {
    this.#link = link;
    this.#now = now;
    this.#random = random;
    this.#arm(this.#wait());
  }

  /** Pads no more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #arm(wait: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      const due = this.#link.lastSent + wait - this.#now();
      if (due > 0) return this.#arm(due);
      this.#link.pad();
      this.#arm(this.#wait());
    }, wait);
  }

  #wait(): number {
    const span = Math.max(this.#random(), this.#random());
    return SHORTEST + span * (LONGEST - SHORTEST);
  }
}
