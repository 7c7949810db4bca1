import { displayWidth } from "./display_width.ts";

/**
 * `text` with its lines broken between words, so that none is wider than `columns` cells; what a line began
 * with by way of blanks is in front of its further ones, too. A word that is wider stays whole.
 */
export function wrapText(text: string, columns: number): string {
  return text.split("\n").flatMap((line) => {
    const indent = /^ */.exec(line)![0];
    const rows: string[] = [];
    let row = indent;
    for (const word of line.slice(indent.length).split(" ")) {
      const longer = row === indent ? row + word : `${row} ${word}`;
      if (displayWidth(longer) <= columns || row === indent) row = longer;
      else {
        rows.push(row);
        row = indent + word;
      }
    }
    return [...rows, row];
  }).join("\n");
}
