/**
 * The command tables as they stand in SPEC.md, read from the text: names and ids come from nowhere else.
 *
 * @module
 */

/** What the text says of one command. */
export interface SpecCommand {
  readonly id: number;
  readonly name: string;
  readonly repeats: boolean;
}

/** The text of the specification. */
export const SPEC: string = await Deno.readTextFile(
  new URL("../../lib/protocol/SPEC.md", import.meta.url),
);

/** Commands by name. */
export type SpecTable = ReadonlyMap<string, SpecCommand>;

/** The table of a service. */
export function specTable(service: string): SpecTable {
  const rows = SPEC.split(`<!-- table ${service} -->`)[1]!
    .split("<!-- end table -->")[0]!
    .split("\n").filter((line) => line.startsWith("| `0x"));
  return new Map(rows.map((row) => {
    const [, id, name, shape] = row.split("|").map((cell) => cell.trim());
    return [name!, {
      id: Number(id!.replaceAll("`", "")),
      name: name!,
      repeats: shape!.endsWith("repeats"),
    }];
  }));
}

/** Several tables as one. */
export function together(...tables: readonly SpecTable[]): SpecTable {
  return new Map(tables.flatMap((table) => [...table]));
}
