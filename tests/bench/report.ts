import { median } from "./benchmark.ts";
import type { Aim, Measurement } from "./benchmark.ts";

/** A figure over all runs. */
export interface Summary {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  /** What it was held against. */
  readonly against?: string;
  /** The median of the runs' ratios. */
  readonly ratio?: number;
  readonly aim?: Aim;
  readonly met?: boolean;
}

/** Sums up one figure of every run. */
export function summarize(runs: readonly Measurement[]): Summary {
  const [{ name, unit, against, aim }] = runs as readonly [Measurement];
  const values = runs.map(({ value }) => value);
  const ratio = against === undefined
    ? undefined
    : median(runs.map((run) => run.value / run.against!.value));
  const middle = median(values);
  return {
    name,
    unit,
    median: middle,
    lowest: Math.min(...values),
    highest: Math.max(...values),
    ...against === undefined ? {} : { against: against.name },
    ...ratio === undefined ? {} : { ratio },
    ...aim === undefined ? {} : { aim, met: isMet(aim, ratio ?? middle) },
  };
}

/** The figures of a benchmark as lines of a table, without heading. */
export function table(summaries: readonly Summary[]): string[] {
  const rows = summaries.map((summary) => [
    `  ${summary.name}`,
    `${short(summary.median)} ${summary.unit}`,
    `(${short(summary.lowest)} .. ${short(summary.highest)})`,
    summary.ratio === undefined
      ? ""
      : `${short(summary.ratio)} x ${summary.against}`,
    summary.aim === undefined
      ? ""
      : `aim ${aimText(summary.aim)}: ${summary.met ? "met" : "MISSED"}`,
  ]);
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 1
        ? cell.padStart(widths![column]!)
        : cell.padEnd(widths![column]!)
    ).join("  ").trimEnd()
  );
}

/** What the figures were measured on. */
export function machine(): string {
  const model = /^model name\s*:\s*(.*)$/m
    .exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "unknown";
  const { total } = Deno.systemMemoryInfo();
  const load = Deno.loadavg()[0]!.toFixed(1);
  return `${navigator.hardwareConcurrency} processors (${model}), ${
    Math.round(total / 2 ** 30)
  } GiB, Linux ${Deno.osRelease()}, Deno ${Deno.version.deno}, load ${load}`;
}

function isMet(aim: Aim, value: number): boolean {
  return "least" in aim ? value >= aim.least : value <= aim.most;
}

function aimText(aim: Aim): string {
  return "least" in aim ? `>= ${aim.least}` : `<= ${aim.most}`;
}

function short(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
