import { displayWidth, graphemes } from "../../cmd/display_width.ts";

/**
 * A terminal as far as the prompt needs one: rows that wrap and scroll, and the few control sequences of
 * ECMA-48 that it writes. Written from the standard, to see what a person would see. Anything that it
 * does not know throws.
 */
export class Screen {
  readonly #columns: number;
  readonly #height: number;
  #rows: string[][] = [[]];
  #top = 0;
  #row = 0;
  #column = 0;
  /** Bracketed paste is on. */
  paste = false;

  constructor(columns: number, height: number) {
    this.#columns = columns;
    this.#height = height;
  }

  /** Everything that was ever shown, row by row, without blanks at the ends. */
  get rows(): string[] {
    return this.#rows.map((row) =>
      Array.from(row, (cell) => cell ?? " ").join("").trimEnd()
    );
  }

  /** The row of the cursor within {@linkcode Screen.rows}, and its column. */
  get cursor(): [row: number, column: number] {
    return [this.#row, this.#column];
  }

  write(text: string): void {
    const parts = text.matchAll(
      // deno-lint-ignore no-control-regex -- control sequences are what it is about
      /\x1b\[([?\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)|(\x1b)/g,
    );
    for (const [, parameters = "", final, line, plain, unknown] of parts) {
      if (unknown !== undefined) throw new Error("An unknown sequence");
      if (final !== undefined) this.#control(parameters, final);
      else if (line === "\r") this.#column = 0;
      else if (line === "\n") this.#feed(0);
      else for (const grapheme of graphemes(plain!)) this.#put(grapheme);
    }
  }

  #put(grapheme: string): void {
    const width = displayWidth(grapheme);
    if (this.#column + width > this.#columns) this.#feed(0);
    const row = this.#rows[this.#row]!;
    row[this.#column] = grapheme;
    if (width === 2) row[this.#column + 1] = "";
    this.#column += width;
  }

  #feed(column: number): void {
    this.#row++;
    this.#column = column;
    if (this.#row === this.#rows.length) this.#rows.push([]);
    this.#top = Math.max(this.#top, this.#row - this.#height + 1);
  }

  #control(parameters: string, final: string): void {
    const count = Number(parameters || 1);
    switch (`${parameters.startsWith("?") ? parameters : ""}${final}`) {
      case "A":
        this.#row = Math.max(this.#top, this.#row - count);
        return;
      case "B":
        this.#row = Math.min(
          this.#top + this.#height - 1,
          this.#rows.length - 1,
          this.#row + count,
        );
        return;
      case "C":
        this.#column = Math.min(this.#columns - 1, this.#column + count);
        return;
      case "H":
        this.#row = this.#top;
        this.#column = 0;
        return;
      case "J":
        if (parameters === "2") {
          for (let i = this.#top; i < this.#rows.length; i++) {
            this.#rows[i] = [];
          }
          return;
        }
        this.#rows[this.#row]!.length = this.#column;
        for (let i = this.#row + 1; i < this.#rows.length; i++) {
          this.#rows[i] = [];
        }
        return;
      case "K":
        this.#rows[this.#row]!.length = this.#column;
        return;
      case "m":
        return;
      case "?2004h":
        this.paste = true;
        return;
      case "?2004l":
        this.paste = false;
        return;
      default:
        throw new Error(`An unknown sequence: ${parameters}${final}`);
    }
  }
}
