/**
 * The known word that a mistyped one most likely stands for: a prefix of exactly one, else the one with
 * the fewest edits, at most a third of its length (and at least one). Undefined when none is near.
 */
export function nearest(
  word: string,
  known: readonly string[],
): string | undefined {
  const begins = known.filter((name) => name.startsWith(word));
  if (word.length > 1 && begins.length === 1) return begins[0];
  let best: string | undefined;
  let fewest = Infinity;
  for (const name of known) {
    const edits = editDistance(word, name);
    if (edits < fewest && edits <= Math.max(1, name.length / 3)) {
      best = name;
      fewest = edits;
    }
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [i];
    for (let j = 1; j <= b.length; j++) {
      if (i === 0) {
        row.push(j);
        continue;
      }
      const above = rows[i - 1]!;
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(
        above[j]! + 1,
        row[j - 1]! + 1,
        above[j - 1]! + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, rows[i - 2]![j - 2]! + 1);
      }
      row.push(edits);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
