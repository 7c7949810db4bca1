import { displayWidth, fitWidth, graphemes } from "../display_width.ts";
import { printable } from "../printable.ts";

/** How a line is shown on one row of a terminal. */
export interface LineView {
  /** The prompt and as much of the line as fits; never reaches the last column. */
  readonly row: string;
  /** The column of the cursor, from 0. */
  readonly column: number;
}

/**
 * The part of a line around its cursor, behind a prompt. One row always, so that what stands above never
 * has to move: a line break is shown as "↵", and of a long line a third of the room is kept for what
 * follows the cursor. What could steer the terminal is made visible; `prompt` must be harmless already.
 *
 * @param cursor In UTF-16 units from the start of `text`.
 * @param columns The width of the terminal in cells.
 */
export function viewLine(
  prompt: string,
  text: string,
  cursor: number,
  columns: number,
): LineView {
  const head = fitWidth(prompt, Math.floor(columns / 2));
  const room = Math.max(2, columns - displayWidth(head) - 1);
  // However long the line is, only what may be seen is looked at.
  const reach = room * 16;
  const before = cells(text.slice(Math.max(0, cursor - reach), cursor));
  const after = cells(text.slice(cursor, cursor + reach));
  const kept = Math.min(widthOf(after), Math.floor(room / 3));
  // One cell is kept for a cursor that stands behind the text.
  const left = fitting(before.reverse(), room - 1 - kept).reverse();
  const column = displayWidth(head) + widthOf(left);
  const right = fitting(after, columns - 1 - column);
  const row = head + [...left, ...right].map(({ shown }) => shown).join("");
  return { row, column };
}

/** One character, as it is shown. */
interface Cell {
  readonly shown: string;
  readonly width: number;
}

function cells(text: string): Cell[] {
  return graphemes(text).map((grapheme) => {
    const shown = grapheme === "\n" ? "↵" : printable(grapheme);
    return { shown, width: displayWidth(shown) };
  });
}

/** As many from the start as fit into `room` cells. */
function fitting(list: readonly Cell[], room: number): Cell[] {
  let width = 0;
  const end = list.findIndex((cell) => (width += cell.width) > room);
  return end < 0 ? [...list] : list.slice(0, end);
}

function widthOf(list: readonly Cell[]): number {
  return list.reduce((sum, { width }) => sum + width, 0);
}
