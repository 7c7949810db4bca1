/** One figure of one run, and what it is held against in the same run. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The peer or the raw limit, measured in the same run, or a peer's figure from elsewhere. */
  readonly against?: { readonly name: string; readonly value: number };
  /** What the ratio is to be, or the value where it is held against nothing. */
  readonly aim?: Aim;
}

/** At least, or at most. */
export type Aim = { readonly least: number } | { readonly most: number };

/** How long and how often a benchmark measures. */
export interface Effort {
  readonly quick: boolean;
  /** A directory of its own, removed at the end. */
  readonly directory: string;
}

/** A benchmark: prepares itself, then measures once per run, subject and reference side by side. */
export interface Benchmark {
  readonly name: string;
  prepare(effort: Effort): Promise<Prepared>;
}

/** A benchmark that is ready to measure. */
export interface Prepared {
  run(): Promise<readonly Measurement[]>;
  close(): Promise<void>;
}

/** The value below which `share` (0 to 1) of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return sorted[at] ?? NaN;
}

/** The middle one of the values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
