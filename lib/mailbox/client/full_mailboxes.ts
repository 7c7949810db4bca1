import type { ClientSession } from "../../account/mod.ts";

/** First and longest pause before full mailboxes are tried again, in milliseconds. */
const FIRST = 1_000;
const LONGEST = 60_000;

/**
 * Whose mailbox was full when a letter came there. Nobody says when there is room again, so they are
 * tried now and then, with growing pauses, for as long as there is a connection.
 */
export class FullMailboxes {
  readonly #addresses = new Set<string>();
  readonly #tryAgain: (session: ClientSession) => void;
  #pause = FIRST;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `tryAgain` is called when it is time to; it says `add` or `keep` if they have to be tried later. */
  constructor(tryAgain: (session: ClientSession) => void) {
    this.#tryAgain = tryAgain;
  }

  has(address: string): boolean {
    return this.#addresses.has(address);
  }

  /** A letter was refused. */
  add(session: ClientSession, address: string): void {
    this.#addresses.add(address);
    this.#schedule(session);
  }

  /** Forgets all but those for which something still waits, and goes on with these. */
  keep(session: ClientSession, waiting: ReadonlySet<string>): void {
    for (const address of this.#addresses) {
      if (!waiting.has(address)) this.#addresses.delete(address);
    }
    if (this.#addresses.size > 0) this.#schedule(session);
  }

  /** A letter was taken: what was full may change soon. */
  hurry(): void {
    this.#pause = FIRST;
  }

  /** Everything is tried anyway. */
  clear(): void {
    this.#addresses.clear();
    this.#pause = FIRST;
  }

  #schedule(session: ClientSession): void {
    if (this.#timer !== undefined) return;
    const timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pause = Math.min(2 * this.#pause, LONGEST);
      this.#tryAgain(session);
    }, this.#pause);
    this.#timer = timer;
    session.ended.then(() => {
      clearTimeout(timer);
      if (this.#timer === timer) this.#timer = undefined;
    });
  }
}
