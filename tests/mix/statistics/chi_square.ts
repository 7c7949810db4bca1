/** Pearson's statistic, and how many degrees of freedom it has. */
export interface Fit {
  readonly statistic: number;
  readonly degrees: number;
}

/**
 * How far the counts are from those expected. Neighbouring cells are put together until 20 are expected in
 * each, so that the statistic follows the chi-square distribution well.
 */
export function fit(
  observed: readonly number[],
  expected: readonly number[],
): Fit {
  const cells: { observed: number; expected: number }[] = [];
  let open = { observed: 0, expected: 0 };
  expected.forEach((count, i) => {
    open.observed += observed[i] ?? 0;
    open.expected += count;
    if (open.expected < 20) return;
    cells.push(open);
    open = { observed: 0, expected: 0 };
  });
  const last = cells.at(-1);
  if (last === undefined || cells.length < 3) throw new Error("Too few cells");
  last.observed += open.observed;
  last.expected += open.expected;
  const statistic = cells.reduce(
    (sum, cell) => sum + (cell.observed - cell.expected) ** 2 / cell.expected,
    0,
  );
  return { statistic, degrees: cells.length - 1 };
}

/** How likely a sound shuffle or sampler is to be called unsound by a seed, for every test that uses `bound`. */
export const FALSE_ALARM = 1e-9;

/**
 * A chi-square statistic is above this with a probability of at most `FALSE_ALARM`: Laurent and Massart,
 * "Adaptive estimation of a quadratic functional" (2000), Lemma 1.
 */
export function bound(degrees: number): number {
  const x = -Math.log(FALSE_ALARM);
  return degrees + 2 * Math.sqrt(degrees * x) + 2 * x;
}

/** Whether the counts may well come from what was expected. */
export function isPlausible({ statistic, degrees }: Fit): boolean {
  return statistic <= bound(degrees);
}
