/** How much longer one thing takes than another. */
export interface Comparison {
  /** Median of the differences, in milliseconds. */
  readonly difference: number;
  /** Standard error of that median, in milliseconds. */
  readonly error: number;
}

/** Pairs that are measured at least and at most, and the error at which it is enough, in milliseconds. */
const PAIRS = { least: 40, most: 200, error: 0.2 };

/**
 * Measures `a` and `b` in turn, each giving its time in milliseconds, in the order a b b a, so that
 * whatever else the machine does falls on both; until the error is small.
 */
export async function compareTimes(
  a: () => Promise<number>,
  b: () => Promise<number>,
): Promise<Comparison> {
  const differences: number[] = [];
  await a();
  await b();
  for (;;) {
    const first = await a();
    const second = await b();
    const third = await b();
    const fourth = await a();
    differences.push(first - second, fourth - third);
    const result = {
      difference: median(differences),
      error: errorOf(differences),
    };
    const pairs = differences.length;
    const enough = pairs >= PAIRS.least && result.error <= PAIRS.error;
    if (enough || pairs >= PAIRS.most) return result;
  }
}

/** What no difference may reach that is not there. */
export function noiseBound({ error }: Comparison): number {
  return 0.75 + 4 * error;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * From the median absolute deviation, which single long waits do not touch: 1.4826 of it is a
 * standard deviation, and a median's error is 1.2533 times a mean's.
 */
function errorOf(values: readonly number[]): number {
  const middle = median(values);
  const deviation = median(values.map((each) => Math.abs(each - middle)));
  return 1.2533 * 1.4826 * deviation / Math.sqrt(values.length);
}
