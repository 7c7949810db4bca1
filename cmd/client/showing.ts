import type { HistoryEntry } from "../../lib/mailbox/mod.ts";

/** A text of a conversation with somebody. */
export interface ShownText {
  /** The other's address. */
  readonly address: string;
  readonly entry: HistoryEntry;
}

/** What showing texts takes. */
export interface ShowingOptions {
  /** Resolves when the text is on its way to the reader. */
  readonly print: (text: ShownText) => Promise<void>;
  /** Marks what has come from somebody as read, up to the history entry `last`. */
  readonly markRead: (address: string, last: number) => Promise<void>;
}

/**
 * Shows texts one after the other, in the order in which they come, and each once. Only what was shown
 * is marked as read: what is marked, no other command would show as new.
 */
export class Showing {
  readonly #options: ShowingOptions;
  readonly #shown = new Set<string>();
  #arrived: ShownText[] = [];
  #before: Promise<void> = Promise.resolve();

  constructor(options: ShowingOptions) {
    this.#options = options;
  }

  /** A text has come: it is shown behind all that came before, and marked together with its like. */
  arrived(text: ShownText): void {
    this.#arrived.push(text);
    if (this.#arrived.length > 1) return;
    this.behind(() => this.#show(this.#arrived.splice(0))).catch(
      () => {/* the output is gone; the end of the command says so */},
    );
  }

  /** Shows the texts that `find` gives once all that came before is shown. */
  found(find: () => Promise<readonly ShownText[]>): Promise<void> {
    return this.behind(async () => this.#show(await find()));
  }

  /** Does `work` behind everything that was begun before. */
  behind(work: () => Promise<void>): Promise<void> {
    const turn = this.#before.then(work);
    this.#before = turn.catch(() => {/* told to whoever began it */});
    return turn;
  }

  /** Resolves when everything that was begun so far is done. */
  settled(): Promise<void> {
    return this.#before;
  }

  async #show(texts: readonly ShownText[]): Promise<void> {
    const last = new Map<string, number>();
    for (const text of texts) {
      const { address, entry } = text;
      const name = `${address} ${entry.number}`;
      if (!this.#shown.has(name)) {
        this.#shown.add(name);
        await this.#options.print(text);
      }
      last.set(address, entry.number);
    }
    for (const [address, number] of last) {
      await this.#options.markRead(address, number);
    }
  }
}
