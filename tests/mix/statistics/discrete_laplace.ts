/**
 * The exact probability that max(0, mean + X) is each of 0, 1, 2, … `most`, the last one meaning "or
 * more", where X is discrete Laplace: P(X = x) = (1 - q) / (1 + q) * q^|x| with q = exp(-1 / scale).
 */
export function noiseProbabilities(
  mean: number,
  scale: number,
  most: number,
): number[] {
  const q = Math.exp(-1 / scale);
  /** P(X <= x) for x <= 0, which is P(X >= -x). */
  const tail = (x: number) => q ** -x / (1 + q);
  return Array.from({ length: most + 1 }, (_, count) => {
    if (count === 0) return tail(-mean);
    if (count === most) return tail(mean - most);
    return (1 - q) / (1 + q) * q ** Math.abs(count - mean);
  });
}
