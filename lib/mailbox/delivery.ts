import type { Bytes } from "../protocol/mod.ts";
import { CommandWriter, utf8 } from "../protocol/mod.ts";
import type { ServerSession } from "../account/mod.ts";
import type { LetterStore, StoredLetter } from "../store/mod.ts";
import {
  DELIVER,
  LETTER,
  LETTER_ID,
  PERSON,
  SEQUENCE,
  STORED_AT,
} from "./commands.ts";

/** Letters under way to one client that it has not confirmed. */
const WINDOW = 128;
/** Letters in one push. */
const TOGETHER = 32;

/**
 * Brings one connected client its letters, in order, at the pace at which it confirms them. A letter
 * that comes while the client keeps up goes to it from memory; otherwise the store keeps it until
 * the client has room, so that a slow reader costs no memory.
 */
export class Delivery {
  readonly #session: ServerSession;
  readonly #letters: LetterStore;
  readonly #failed: (error: unknown) => void;
  #cursor = 0;
  #outstanding = 0;
  /** Whether the store may hold letters beyond the cursor. */
  #behind = true;
  #fetching = false;
  #gathered: StoredLetter[] = [];
  #ended = false;

  constructor(
    session: ServerSession,
    letters: LetterStore,
    failed: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#letters = letters;
    this.#failed = failed;
  }

  /** Begins with what waits. */
  start(): void {
    this.#fetch();
  }

  /** A letter has just been stored. */
  offer(letter: StoredLetter): void {
    const keepsUp = !this.#behind && !this.#fetching &&
      this.#outstanding < WINDOW;
    if (keepsUp && letter.sequence > this.#cursor) this.#enqueue(letter);
    else this.#behind = true;
  }

  end(): void {
    this.#ended = true;
  }

  async #fetch(): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    try {
      while (this.#behind && !this.#ended && this.#outstanding < WINDOW) {
        const room = WINDOW - this.#outstanding;
        this.#behind = false;
        const letters = await this.#letters.pending(
          this.#session.address,
          this.#cursor,
          room,
        );
        if (letters.length === room) this.#behind = true;
        for (const letter of letters) this.#enqueue(letter);
      }
    } catch (error) {
      this.#failed(error);
      this.#session.abort();
    } finally {
      this.#fetching = false;
    }
  }

  /** Letters of one moment leave together. */
  #enqueue(letter: StoredLetter): void {
    this.#cursor = letter.sequence;
    this.#outstanding++;
    this.#gathered.push(letter);
    if (this.#gathered.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const letters = this.#gathered;
    this.#gathered = [];
    for (let at = 0; at < letters.length; at += TOGETHER) {
      this.#push(letters.slice(at, at + TOGETHER));
    }
  }

  async #push(letters: readonly StoredLetter[]): Promise<void> {
    if (this.#ended) return;
    await this.#session.push(encode(letters));
    this.#outstanding -= letters.length;
    if (this.#behind) this.#fetch();
  }
}

function encode(letters: readonly StoredLetter[]): Bytes {
  const writer = new CommandWriter(letters.length * 1_024);
  for (const { sequence, sender, letterId, body, storedAt } of letters) {
    writer.set(SEQUENCE, BigInt(sequence)).set(PERSON, utf8(sender))
      .set(LETTER_ID, letterId).set(LETTER, body)
      .set(STORED_AT, BigInt(storedAt)).verb(DELIVER);
  }
  return writer.done();
}
