/**
 * The language of the command-line scripts under `tests/cli/`, read only; `cli.ts` runs it.
 *
 *     # S0.3: what the script shows; the first comment is its title
 *     sotto keygen --help
 *     stdout '^Usage:'
 *     -- file.txt --
 *     what the file holds
 *
 * One command a line. Words are parted by blanks; 'single quotes' keep everything but `''`, which is one
 * quote; outside of them `$NAME` and `${NAME}` are replaced. `! ` in front: the command must fail. `&name`
 * at the end: it goes on in the background (`&&name`: without waiting for its address). Behind `-- NAME --` lines stand files, laid out beforehand.
 *
 * @module
 */

/** One command line. */
export interface ScriptLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  readonly mustFail: boolean;
  /** The name under which it goes on in the background, or undefined. */
  readonly background: string | undefined;
  /** Whether the script waits until it has said where it listens. */
  readonly patient: boolean;
  /** Each word as pieces; those that are not quoted have their variables replaced when it runs. */
  readonly words: readonly (readonly Piece[])[];
}

/** A part of a word. */
export interface Piece {
  readonly text: string;
  readonly quoted: boolean;
}

/** A script. */
export interface Script {
  /** The first comment, or "" if there is none. */
  readonly title: string;
  readonly lines: readonly ScriptLine[];
  /** Text by file name. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Reads a script.
 *
 * @throws {SyntaxError} If a quote is left open, a line has no command or there is no line at all.
 */
export function parseScript(text: string): Script {
  const [commands = "", ...rest] = text.split(/^-- (\S+) --\n/m);
  const files = new Map<string, string>();
  for (let i = 0; i < rest.length; i += 2) files.set(rest[i]!, rest[i + 1]!);
  const lines: ScriptLine[] = [];
  let title = "";
  for (const [index, line] of commands.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed.startsWith("#")) title ||= trimmed.slice(1).trim();
    else if (trimmed !== "") lines.push(parseLine(trimmed, index + 1));
  }
  if (lines.length === 0) throw new SyntaxError("A script without commands");
  return { title, lines, files };
}

function parseLine(text: string, number: number): ScriptLine {
  const mustFail = text.startsWith("! ");
  const words = splitWords(mustFail ? text.slice(2) : text, number);
  const last = words.at(-1)?.[0];
  const [, marks, background] = last?.quoted === false
    ? /^(&&?)(\w+)$/.exec(last.text) ?? []
    : [];
  if (background !== undefined) words.pop();
  if (words.length === 0) throw new SyntaxError(`Line ${number}: no command`);
  const patient = marks === "&";
  return { number, text, mustFail, background, patient, words };
}

function splitWords(text: string, number: number): Piece[][] {
  const words: Piece[][] = [];
  let word: Piece[] | undefined;
  const pieces = text.matchAll(/'((?:[^']|'')*)'|(\s+)|([^\s']+)|(')/g);
  for (const [, quoted, blank, plain, open] of pieces) {
    if (open !== undefined) {
      throw new SyntaxError(`Line ${number}: a quote is left open`);
    }
    if (blank !== undefined) {
      word = undefined;
      continue;
    }
    if (word === undefined) words.push(word = []);
    word.push(
      quoted === undefined
        ? { text: plain!, quoted: false }
        : { text: quoted.replaceAll("''", "'"), quoted: true },
    );
  }
  return words;
}
