/**
 * Writes the tables of commands into lib/protocol/SPEC.md, between the marks, from the tables that the
 * code uses. With `--check` it writes nothing and fails if they differ.
 *
 *     deno run -A tools/spec_tables.ts [--check]
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a tool for the terminal
import { ACCOUNT } from "../lib/account/mod.ts";
import { MAILBOX } from "../lib/mailbox/mod.ts";
import { DIRECTORY } from "../lib/directory/mod.ts";
import { GREETING } from "../lib/protocol/mod.ts";
import type { CommandTable } from "../lib/protocol/mod.ts";
import { MIXING_ROUNDS, ROUNDS } from "../lib/mix/commands.ts";
import { LINKS } from "../lib/onion/mod.ts";
import { TRANSFER } from "../lib/transfer/mod.ts";

/** The tables that the specification shows, by the service they name. */
export const SPEC_TABLES: readonly CommandTable[] = [
  GREETING,
  ACCOUNT,
  MAILBOX,
  TRANSFER,
  DIRECTORY,
  LINKS,
  MIXING_ROUNDS,
  ROUNDS,
];

/** Where the specification lies. */
export const SPEC_PATH: string = new URL(
  "../lib/protocol/SPEC.md",
  import.meta.url,
).pathname;

const HEAD: readonly string[] = ["id", "name", "shape", "meaning"];
const END = "<!-- end table -->";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const before = await Deno.readTextFile(SPEC_PATH);
  const after = withTables(before, SPEC_TABLES);
  if (before === after) return 0;
  if (args.includes("--check")) {
    console.error("SPEC.md is out of date: run tools/spec_tables.ts");
    return 1;
  }
  await Deno.writeTextFile(SPEC_PATH, after);
  return 0;
}

/**
 * `text` with every table written anew between its two marks.
 *
 * @throws {RangeError} unless each table has its place in the text, exactly once.
 */
export function withTables(
  text: string,
  tables: readonly CommandTable[],
): string {
  let result = text;
  for (const table of tables) {
    const mark = `<!-- table ${table.service} -->`;
    const [before, rest, ...more] = result.split(mark);
    const at = rest?.indexOf(END) ?? -1;
    if (rest === undefined || more.length > 0 || at < 0) {
      throw new RangeError(`Cannot write the table ${table.service}: no place`);
    }
    result = `${before}${mark}\n\n${renderTable(table)}\n\n${rest.slice(at)}`;
  }
  return result;
}

/** A table of commands in Markdown: parameters by id, then verbs by id, in columns of even width. */
export function renderTable({ parameters, verbs }: CommandTable): string {
  const rows = [
    ...parameters.toSorted((a, b) => a.id - b.id).map((parameter) => [
      hex(parameter.id),
      parameter.name,
      parameter.shape.kind + (parameter.repeats ? "; repeats" : ""),
      parameter.meaning,
    ]),
    ...verbs.toSorted((a, b) => a.id - b.id).map((verb) => [
      hex(verb.id),
      verb.name,
      "verb",
      verb.meaning,
    ]),
  ];
  const widths = HEAD.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length))
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [
    line(HEAD),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
  ].join("\n");
}

function hex(id: number): string {
  return `\`0x${id.toString(16).padStart(4, "0")}\``;
}
