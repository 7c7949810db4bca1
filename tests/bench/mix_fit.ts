/** Something that was measured at a size. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** y = start + slope * x. */
export interface Line {
  readonly start: number;
  readonly slope: number;
  /** The most by which a point is off the line, as a share of the line. */
  readonly error: number;
}

/** The straight line through points that has the least squares of relative errors. */
export function fitLine(points: readonly Point[]): Line {
  // Weights of 1/y²: the small sizes would say nothing otherwise.
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  for (const { x, y } of points) {
    const weight = 1 / y ** 2;
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  const start = (wy - slope * wx) / w;
  const off = points.map(({ x, y }) => {
    const line = start + slope * x;
    return Math.abs(y - line) / line;
  });
  return { start, slope, error: Math.max(...off) };
}
