/**
 * The benchmarks: `deno task bench [NAME...] [--quick] [--json] [--runs N]`. Every figure is a median
 * over the runs, with the lowest and the highest; a ratio is of one run, subject and reference side by
 * side, unless the reference is a peer's figure from elsewhere.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a tool for the terminal
import { parseArgs } from "@std/cli/parse-args";
import { median } from "./benchmark.ts";
import type { Benchmark, Measurement } from "./benchmark.ts";
import { CHANNEL } from "./channel.ts";
import { IDLE } from "./idle.ts";
import { LETTERS } from "./letters.ts";
import { LOGINS } from "./logins.ts";
import { STARTUP } from "./startup.ts";

const ALL: readonly Benchmark[] = [CHANNEL, LOGINS, LETTERS, IDLE, STARTUP];

if (import.meta.main) await main(Deno.args);

async function main(args: readonly string[]): Promise<void> {
  const options = parseArgs(args, {
    boolean: ["quick", "json"],
    string: ["runs"],
  });
  const names = options._.map(String);
  const chosen = ALL.filter(({ name }) =>
    names.length === 0 || names.includes(name)
  );
  const runs = Number(options.runs ?? (options.quick ? 1 : 3));
  if (!options.json) console.log(machine());
  for (const benchmark of chosen) {
    const directory = await Deno.makeTempDir({ prefix: "sotto-bench-" });
    try {
      const results: (readonly Measurement[])[] = [];
      const prepared = await benchmark.prepare({
        quick: options.quick,
        directory,
      });
      try {
        for (let run = 0; run < runs; run++) results.push(await prepared.run());
      } finally {
        await prepared.close();
      }
      const lines = results[0]!.map((_, i) =>
        summary(results.map((r) => r[i]!))
      );
      for (const line of lines) {
        console.log(options.json ? JSON.stringify(line) : text(line));
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
}

interface Summary {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly against?: string;
  readonly ratio?: number;
}

function summary(runs: readonly Measurement[]): Summary {
  const [{ name, unit, against }] = runs as readonly [Measurement];
  const values = runs.map(({ value }) => value);
  return {
    name,
    unit,
    median: median(values),
    lowest: Math.min(...values),
    highest: Math.max(...values),
    ...against === undefined ? {} : {
      against: against.name,
      ratio: median(runs.map((run) => run.value / run.against!.value)),
    },
  };
}

function text({ name, unit, against, ratio, ...figures }: Summary): string {
  const [middle, low, high] = [
    figures.median,
    figures.lowest,
    figures.highest,
  ].map((value) => value >= 100 ? value.toFixed(0) : value.toFixed(2));
  const held = against === undefined
    ? ""
    : `  = ${ratio!.toFixed(2)} x ${against}`;
  return `${name}: ${middle} ${unit} (${low} to ${high})${held}`;
}

function machine(): string {
  const cpus = navigator.hardwareConcurrency;
  const { total } = Deno.systemMemoryInfo();
  return `${cpus} processors, ${
    (total / 2 ** 30).toFixed(0)
  } GiB, Deno ${Deno.version.deno}, ${Deno.build.target}`;
}
