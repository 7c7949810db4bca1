/**
 * What the demo prints: headings, the commands as they are run, what they answer, and why that is safe.
 * Fits 80 columns; colours only on a terminal.
 *
 * @module
 */

const COLUMNS = 78;
/** In front of what commands answer; a fingerprint with its name still fits. */
const INDENT = "  ";
/** Room for what commands answer. */
const ANSWER_COLUMNS = 80 - INDENT.length;

/** The styles of the demo, as SGR parameters (ECMA-48 §8.3.117). */
const STYLES = { bold: "1", dim: "2", red: "31", green: "32", cyan: "36" };

/** Prints the demo's text and keeps count of what was checked. */
export class Page {
  readonly #write: (text: string) => void;
  readonly #colours: boolean;
  readonly #checks: { readonly text: string; readonly holds: boolean }[] = [];
  #steps = 0;

  /** `write` takes whole lines, `colours` says whether they may hold escape sequences. */
  constructor(write: (text: string) => void, colours: boolean) {
    this.#write = write;
    this.#colours = colours;
  }

  /** How many checks did not hold. */
  get failures(): number {
    return this.#checks.filter(({ holds }) => !holds).length;
  }

  /** The title above everything. */
  title(text: string): void {
    this.#line(this.#style("bold", text));
  }

  /** The next step, numbered. */
  step(text: string): void {
    this.#steps++;
    const head = `── ${this.#steps}. ${text} `;
    this.#line();
    this.#line(this.#style("bold", head.padEnd(COLUMNS, "─")));
  }

  /** Words of the demo itself, wrapped. */
  say(text: string): void {
    this.#line();
    for (const line of wrap(text, COLUMNS)) this.#line(line);
  }

  /** An empty line. */
  blank(): void {
    this.#line();
  }

  /** A command, as somebody would type it. */
  command(who: string, text: string): void {
    this.#line();
    const prompt = `${who}$`;
    // A flag stays on the line of its value.
    const parts = text.match(/(?:--\S+ )?(?:"[^"]*"|\S+)/g) ?? [];
    const [first = "", ...rest] = fill(parts, COLUMNS - prompt.length - 3);
    const more = rest.length > 0 ? " \\" : "";
    this.#line(`${this.#style("cyan", prompt)} ${first}${more}`);
    for (const [index, line] of rest.entries()) {
      this.#line(`    ${line}${index < rest.length - 1 ? " \\" : ""}`);
    }
  }

  /** What a command has answered, line by line. */
  answer(text: string): void {
    const lines = text === "" ? ["(nothing)"] : text.trimEnd().split("\n");
    for (const line of lines) {
      const begin = /^ */.exec(line)![0];
      const parts = line.length <= ANSWER_COLUMNS
        ? [line]
        : wrap(line, ANSWER_COLUMNS - begin.length).map((each) => begin + each);
      for (const part of parts) {
        this.#line(this.#style("dim", `${INDENT}${part}`.trimEnd()));
      }
    }
  }

  /** Why a step is safe. */
  why(text: string): void {
    this.#line();
    const [first = "", ...rest] = wrap(`Why: ${text}`, COLUMNS - 2);
    this.#line(`  ${this.#style("bold", first.slice(0, 4))}${first.slice(4)}`);
    for (const line of rest) this.#line(`  ${line}`);
  }

  /** Whether something is as it should be; remembered for the summary. */
  check(holds: boolean, text: string): void {
    this.#checks.push({ text, holds });
    this.#line();
    this.#line(`  ${this.#mark(holds)} ${text}`);
  }

  /** All checks, one under the other. */
  summary(seconds: number): void {
    this.#line();
    this.#line(this.#style("bold", "── Summary ".padEnd(COLUMNS, "─")));
    this.#line();
    for (const { text, holds } of this.#checks) {
      this.#line(`  ${this.#mark(holds)} ${text}`);
    }
    this.#line();
    const count = this.#checks.length;
    const text = this.failures === 0
      ? `All ${count} checks hold`
      : `${this.failures} of ${count} checks DO NOT HOLD`;
    const colour = this.failures === 0 ? "green" : "red";
    this.#line(`${this.#style(colour, text)} (${seconds.toFixed(1)} s).`);
  }

  #mark(holds: boolean): string {
    return holds ? this.#style("green", "✓") : this.#style("red", "✗ NOT SO:");
  }

  #style(style: keyof typeof STYLES, text: string): string {
    return this.#colours ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text;
  }

  #line(text = ""): void {
    this.#write(`${text}\n`);
  }
}

function wrap(text: string, columns: number): string[] {
  return fill(text.trim().split(/\s+/), columns);
}

/** Puts as many parts on each line as fit, with blanks between them. */
function fill(parts: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + part.length > columns) {
      lines.push(part);
    } else lines[lines.length - 1] = `${line} ${part}`;
  }
  return lines;
}
