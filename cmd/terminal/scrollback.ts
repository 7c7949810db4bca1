import { displayWidth, graphemes } from "../display_width.ts";

/** How many printed lines can still be changed. */
const KEPT = 100;

/** The name of a line that was printed again further down. */
const NAMELESS = 0;

/** A printed line that may be changed later. */
export interface Printed {
  readonly text: string;
  /** How many rows of the terminal it takes. */
  readonly rows: number;
}

/** Where a printed line stands, and what it was. */
export interface Place {
  /** Rows from its first row down to the row of the prompt. */
  readonly up: number;
  readonly printed: Printed;
}

/**
 * What was printed above the prompt, as far as it can still be reached: the newest lines, while the
 * terminal keeps its width (a narrower one wraps them anew, each terminal in its own way).
 */
export class Scrollback {
  #lines: { id: number; printed: Printed }[] = [];
  #columns = 0;
  #next = 1;

  /**
   * Notes that `text` is printed on a terminal of so many columns. The result names it later; with an
   * `id` from before, that one names it from now on.
   */
  add(text: string, columns: number, id: number = this.#next++): number {
    if (columns !== this.#columns) this.forget();
    this.#columns = columns;
    for (const line of this.#lines) if (line.id === id) line.id = NAMELESS;
    const printed = { text, rows: rowsOf(text, columns) };
    this.#lines.push({ id, printed });
    if (this.#lines.length > KEPT) this.#lines.shift();
    return id;
  }

  /** Where the line `id` stands, if it is within the `rows` rows of the terminal above the prompt. */
  find(id: number, columns: number, rows: number): Place | undefined {
    if (columns !== this.#columns) this.forget();
    let up = 0;
    for (const { id: each, printed } of this.#lines.toReversed()) {
      up += printed.rows;
      if (up >= rows) return undefined;
      if (each === id) return { up, printed };
    }
    return undefined;
  }

  /** Notes that the line `id` now is `text`. @returns it and all that was printed after it. */
  replace(id: number, text: string, columns: number): string[] {
    const at = this.#lines.findIndex((each) => each.id === id);
    if (at < 0) return [];
    const printed = { text, rows: rowsOf(text, columns) };
    this.#lines[at] = { id, printed };
    return this.#lines.slice(at).map((each) => each.printed.text);
  }

  /** Nothing can be reached any more: the screen was cleared or wrapped anew. */
  forget(): void {
    this.#lines = [];
  }
}

/** The rows that `text` takes when a terminal of so many columns wraps it; colours take no room. */
export function rowsOf(text: string, columns: number): number {
  let rows = 0;
  for (const line of text.replace(COLOUR, "").split("\n")) {
    rows++;
    let column = 0;
    // A wide character that does not fit at the end of a row goes to the next one whole.
    for (const grapheme of graphemes(line)) {
      const width = displayWidth(grapheme);
      if (column + width > columns) {
        rows++;
        column = 0;
      }
      column += width;
    }
  }
  return rows;
}

// deno-lint-ignore no-control-regex -- the sequences that set colours (ECMA-48 SGR)
const COLOUR = /\x1b\[[0-9;]*m/g;
