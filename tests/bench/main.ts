/**
 * The benchmarks: `deno task bench [NAME...] [--quick] [--json] [--runs N]`. Every figure is a median
 * over the runs, with the lowest and the highest; a ratio is of one run, subject and reference side by
 * side, unless the reference is said to be from elsewhere.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a tool for the terminal
import { parseArgs } from "@std/cli/parse-args";
import type { Benchmark, Measurement } from "./benchmark.ts";
import { CHANNEL } from "./channel.ts";
import { FILES } from "./files.ts";
import { IDLE } from "./idle.ts";
import { LETTERS } from "./letters.ts";
import { LOGINS } from "./logins.ts";
import { MIX_GROWTH } from "./mix_growth.ts";
import { MIX_LATENCY } from "./mix_latency.ts";
import { MIX_ONIONS } from "./mix_onions.ts";
import { MIX_ROUNDS } from "./mix_rounds.ts";
import { ONION } from "./onion.ts";
import { machine, summarize, table } from "./report.ts";
import type { Summary } from "./report.ts";
import { STARTUP } from "./startup.ts";

const ALL: readonly Benchmark[] = [
  CHANNEL,
  LOGINS,
  LETTERS,
  FILES,
  ONION,
  MIX_ONIONS,
  MIX_ROUNDS,
  MIX_LATENCY,
  MIX_GROWTH,
  IDLE,
  STARTUP,
];

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const options = parseArgs(args, {
    boolean: ["quick", "json"],
    string: ["runs"],
  });
  const names = options._.map(String);
  const runs = Number(options.runs ?? (options.quick ? 1 : 3));
  const chosen = names.length === 0
    ? ALL
    : ALL.filter(({ name }) => names.includes(name));
  if (chosen.length < names.length || !(runs >= 1)) {
    console.error(`There is: ${ALL.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  if (!options.json) console.log(machine());
  for (const benchmark of chosen) {
    const summaries = await measure(benchmark, runs, options.quick);
    if (options.json) {
      console.log(JSON.stringify({
        benchmark: benchmark.name,
        machine: machine(),
        runs,
        figures: summaries,
      }));
    } else console.log([benchmark.name, ...table(summaries)].join("\n"));
  }
  return 0;
}

async function measure(
  benchmark: Benchmark,
  runs: number,
  quick: boolean,
): Promise<Summary[]> {
  const directory = await Deno.makeTempDir({ prefix: "sotto-bench-" });
  try {
    const prepared = await benchmark.prepare({ quick, directory });
    const results: (readonly Measurement[])[] = [];
    try {
      for (let run = 0; run < runs; run++) results.push(await prepared.run());
    } finally {
      await prepared.close();
    }
    return results[0]!.map((_, i) => summarize(results.map((r) => r[i]!)));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
