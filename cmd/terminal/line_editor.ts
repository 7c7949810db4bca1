import { graphemes } from "../display_width.ts";
import type { KeyEvent, KeyName } from "./key.ts";

/** The most lines that the history keeps. */
export const HISTORY_LIMIT = 500;

/** What came of a key. */
export type Outcome =
  /** Show the line again. */
  | { readonly kind: "edit" }
  /** The person finished a line; the editor has an empty one now. */
  | { readonly kind: "line"; readonly text: string }
  /** Ctrl-D on an empty line: no more will come. */
  | { readonly kind: "end" }
  /** Ctrl-L: clear the screen and show the line again. */
  | { readonly kind: "clear" };

/** What a word is made of, in UTF-16 units: rare letters and emoji are two, each a half (Cs). */
const WORD = /[\p{L}\p{N}\p{M}\p{Cs}\u{200c}\u{200d}]/u;

/** One character as people see it is looked for among so many UTF-16 units, however long the line. */
const CHARACTER_LIMIT = 256;

const EDIT: Outcome = { kind: "edit" };

/**
 * One line of text with a cursor, a history and what was cut last: the state behind a prompt, without
 * the prompt. A line may hold line breaks (pasted, or by Alt-Enter); it is one message all the same.
 */
export class LineEditor {
  #before = "";
  #after = "";
  #cut = "";
  /** Lines entered before, the last one last. */
  readonly #history: string[] = [];
  /** Where in the history the person is; its length while on the line that is being written. */
  #place = 0;
  #draft = "";

  /** The whole line. */
  get text(): string {
    return this.#before + this.#after;
  }

  /** Where the cursor stands, in UTF-16 units from the start; always between two characters. */
  get cursor(): number {
    return this.#before.length;
  }

  /** Does what `event` asks for. */
  apply(event: KeyEvent): Outcome {
    if (event.kind !== "key") {
      this.#before += event.text;
      return EDIT;
    }
    switch (event.name) {
      case "accept-line":
        return this.#accept();
      case "end-of-file":
        if (this.text === "") return { kind: "end" };
        this.#deleteForward();
        return EDIT;
      case "clear-screen":
        return { kind: "clear" };
      default:
        this.#edit(event.name);
        return EDIT;
    }
  }

  #edit(name: KeyName): void {
    switch (name) {
      case "backward-char":
        return this.#moveTo(this.#characterStart());
      case "forward-char":
        return this.#moveTo(this.#characterEnd());
      case "backward-word":
        return this.#moveTo(this.#wordStart());
      case "forward-word":
        return this.#moveTo(this.#wordEnd());
      case "beginning-of-line":
        return this.#moveTo(0);
      case "end-of-line":
        return this.#moveTo(this.text.length);
      case "backward-delete-char":
        this.#before = this.#before.slice(0, this.#characterStart());
        return;
      case "delete-char":
        return this.#deleteForward();
      case "backward-kill-line":
        return this.#cutBack(0);
      case "kill-line":
        return this.#cutForward(this.text.length);
      case "backward-kill-word":
        return this.#cutBack(this.#wordStart());
      case "kill-word":
        return this.#cutForward(this.#wordEnd());
      case "yank":
        this.#before += this.#cut;
        return;
      case "newline":
        this.#before += "\n";
        return;
      case "transpose-chars":
        return this.#transpose();
      case "previous-history":
        return this.#goTo(this.#place - 1);
      case "next-history":
        return this.#goTo(this.#place + 1);
    }
  }

  #accept(): Outcome {
    const { text } = this;
    if (text.trim() !== "" && text !== this.#history.at(-1)) {
      this.#history.push(text);
      if (this.#history.length > HISTORY_LIMIT) this.#history.shift();
    }
    this.#place = this.#history.length;
    this.#draft = this.#before = this.#after = "";
    return { kind: "line", text };
  }

  #moveTo(cursor: number): void {
    const { text } = this;
    this.#before = text.slice(0, cursor);
    this.#after = text.slice(cursor);
  }

  #deleteForward(): void {
    this.#after = this.text.slice(this.#characterEnd());
  }

  #cutBack(from: number): void {
    if (from === this.cursor) return;
    this.#cut = this.#before.slice(from);
    this.#before = this.#before.slice(0, from);
  }

  #cutForward(to: number): void {
    if (to === this.cursor) return;
    this.#cut = this.text.slice(this.cursor, to);
    this.#after = this.text.slice(to);
  }

  /** Swaps the characters around the cursor, at the end the last two, as readline does. */
  #transpose(): void {
    if (this.#after === "") this.#moveTo(this.#characterStart());
    const [start, end] = [this.#characterStart(), this.#characterEnd()];
    const { text, cursor } = this;
    this.#before = text.slice(0, start) + text.slice(cursor, end) +
      text.slice(start, cursor);
    this.#after = text.slice(end);
  }

  #goTo(place: number): void {
    if (place < 0 || place > this.#history.length) return;
    if (this.#place === this.#history.length) this.#draft = this.text;
    this.#place = place;
    this.#before = this.#history[place] ?? this.#draft;
    this.#after = "";
  }

  /** Where the character before the cursor begins. */
  #characterStart(): number {
    const near = graphemes(this.#before.slice(-CHARACTER_LIMIT));
    return this.cursor - (near.at(-1)?.length ?? 0);
  }

  /** Where the character after the cursor ends. */
  #characterEnd(): number {
    const near = graphemes(this.#after.slice(0, CHARACTER_LIMIT));
    return this.cursor + (near[0]?.length ?? 0);
  }

  /** Where the character that `at` stands in, or before, begins. */
  #characterAt(at: number): number {
    let start = Math.max(0, at - CHARACTER_LIMIT);
    for (
      const each of graphemes(this.text.slice(start, at + CHARACTER_LIMIT))
    ) {
      if (start + each.length > at) break;
      start += each.length;
    }
    return start;
  }

  /** Where the word before the cursor begins. */
  #wordStart(): number {
    const { text } = this;
    let at = this.cursor;
    while (at > 0 && !WORD.test(text[at - 1]!)) at--;
    while (at > 0 && WORD.test(text[at - 1]!)) at--;
    return this.#characterAt(at);
  }

  /** Where the word after the cursor ends. */
  #wordEnd(): number {
    const { text } = this;
    let at = this.cursor;
    while (at < text.length && !WORD.test(text[at]!)) at++;
    while (at < text.length && WORD.test(text[at]!)) at++;
    return this.#characterAt(at);
  }
}
