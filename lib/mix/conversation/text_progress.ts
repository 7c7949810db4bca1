import type { TextState } from "./conversation_event.ts";

/** How far each part of a text is: at a drop with the other person, acknowledged with all before it. */
export class TextProgress {
  /** 16 hex digits. */
  readonly id: string;
  readonly #parts: number;
  readonly #exchanged = new Set<number>();
  readonly #delivered = new Set<number>();
  #begun = false;

  /** @param parts how many messages carry the text. */
  constructor(id: string, parts: number) {
    this.id = id;
    this.#parts = parts;
  }

  /** How far the text is as a whole. */
  get state(): TextState {
    if (this.#delivered.size === this.#parts) return "delivered";
    if (this.#exchanged.size === this.#parts) return "exchanged";
    return this.#begun ? "in round" : "queued";
  }

  /** A part has been handed in. */
  begin(): void {
    this.#begun = true;
  }

  /** The part has been in a round in which the other person was at the drop. */
  exchange(part: number): void {
    this.#exchanged.add(part);
  }

  /** The part is acknowledged with all before it. */
  deliver(part: number): void {
    this.#exchanged.add(part);
    this.#delivered.add(part);
  }
}
