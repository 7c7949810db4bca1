import { displayWidth, fitWidth } from "./display_width.ts";
import { printable } from "./printable.ts";

/** One column of a list. */
export interface Column {
  readonly title: string;
  /** Numbers go to the right. */
  readonly align?: "left" | "right";
}

/**
 * `rows` under their titles, in columns that line up, two spaces apart, each line ending in `\n`. Cells
 * are made safe to print. When `width` is given, the last column is cut so that lines fit it, to no
 * less than 8 cells.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map((_, i) => printable(row[i] ?? ""))),
  ];
  const widths = columns.map((_, i) =>
    Math.max(...cells.map((row) => displayWidth(row[i]!)))
  );
  const last = columns.length - 1;
  const before = widths.slice(0, last).reduce((sum, each) => sum + each + 2, 0);
  widths[last] = Math.min(widths[last]!, Math.max(8, width - before));
  return cells.map((row) =>
    row.map((cell, i) => pad(cell, widths[i]!, columns[i]!.align))
      .join("  ").trimEnd() + "\n"
  ).join("");
}

function pad(text: string, width: number, align: Column["align"]): string {
  const fitted = fitWidth(text, width);
  const blank = " ".repeat(width - displayWidth(fitted));
  return align === "right" ? blank + fitted : fitted + blank;
}
