/** Silence after which a link counts as dead, in milliseconds: padding comes every ten seconds. */
export const LINK_DEADLINE = 60_000;

/**
 * Ends a link over which nothing comes any more: whoever lost power or network says no word, and the
 * circuits would hang until the operating system gives up.
 */
export class LinkWatch {
  readonly #end: () => void;
  readonly #deadline: number;
  #heard = false;
  #timer: ReturnType<typeof setTimeout>;

  /** Calls `end` when `deadline` milliseconds have passed without a sign, at the latest after twice that. */
  constructor(end: () => void, deadline: number = LINK_DEADLINE) {
    this.#end = end;
    this.#deadline = deadline;
    this.#timer = setTimeout(() => this.#look(), deadline);
  }

  /** Something has come. */
  alive(): void {
    this.#heard = true;
  }

  /** Watches no more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    if (!this.#heard) return this.#end();
    this.#heard = false;
    this.#timer = setTimeout(() => this.#look(), this.#deadline);
  }
}
