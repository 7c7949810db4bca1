/**
 * Where the processor's time goes when data pass three hops: `deno run -A tests/bench/onion_profile.ts
 * [download|requests]`. It raises sotto's network alone, gives it work, and lets perf (Debian:
 * `linux-perf`) sample client and relays. For the functions behind the shares: `perf record -g -p PID`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a tool for the terminal
import { sleep } from "./connecting.ts";
import { isInstalled } from "./files_daemon.ts";
import type { Stage } from "./onion_process.ts";
import { cpuSeconds } from "./process_cost.ts";
import { numberOf, numbersOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const MIB = 1_048_576;
/** Samples a second: more would take what they measure. */
const FREQUENCY = "499";
const ROLES = ["client", "guard", "middle", "exit"] as const;

const WORK: Readonly<Record<string, Json>> = {
  download: { ask: "download", file: "big", together: 1 },
  requests: { ask: "request", count: 2_000, together: 32 },
};

/** Places, by thread and by file, the first that fits. */
const PLACES: readonly (readonly [string, RegExp, RegExp])[] = [
  ["kernel, main thread", /^deno/, /kernel|vdso/],
  ["kernel, pool", /./, /kernel|vdso/],
  ["JavaScript (JIT)", /./, /JIT|anon|memfd/],
  ["C library: memory, copies", /./, /libc|libm/],
  ["runtime: V8 and operations", /^deno/, /./],
  ["garbage collection threads", /^V8/, /./],
  ["pool: WebCrypto", /./, /./],
];

if (import.meta.main) Deno.exitCode = await main(Deno.args[0] ?? "download");

async function main(name: string): Promise<number> {
  const work = WORK[name];
  if (work === undefined) {
    console.error(`There is: ${Object.keys(WORK).join(", ")}`);
    return 2;
  }
  if (!await isInstalled("perf", "--version")) {
    console.error("not installed: perf: apt-get install linux-perf");
    return 1;
  }
  const directory = await Deno.makeTempDir({ prefix: "sotto-bench-" });
  try {
    await profile(directory, { ...work, through: "sotto" });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  return 0;
}

async function profile(directory: string, work: Json): Promise<void> {
  const files = { big: 256 * MIB, small: 1_024 };
  const stage: Stage = { directory, tor: false, files };
  await using process = await Subprocess.start("onion_process.ts", [
    JSON.stringify(stage),
  ]);
  await process.ask(work);
  const path = numbersOf(await process.ask({ ask: "path" }), "path");
  const pids = [numberOf(process.greeting, "client"), ...path];
  const perfs = pids.map((pid, i) =>
    new Deno.Command("perf", {
      args: [
        ...["record", "--quiet", "-F", FREQUENCY, "-p", String(pid)],
        ...["-o", `${directory}/perf${i}`],
      ],
      stdout: "null",
      stderr: "null",
    }).spawn()
  );
  await sleep(1_000);
  const before = pids.map(cpuSeconds);
  await process.ask(work);
  const used = pids.map((pid, i) => cpuSeconds(pid) - before[i]!);
  for (const perf of perfs) perf.kill("SIGINT");
  for (const perf of perfs) await perf.status;
  const shares: Map<string, number>[] = [];
  for (const i of pids.keys()) {
    shares.push(await sharesOf(`${directory}/perf${i}`));
  }
  print(used, shares);
}

/** Shares of the samples by place, from 0 to 1. */
async function sharesOf(samples: string): Promise<Map<string, number>> {
  const { stdout } = await new Deno.Command("perf", {
    args: [
      ...["report", "-i", samples, "--stdio", "--no-children"],
      ...["--sort", "comm,dso", "--field-separator", ";"],
    ],
    stderr: "null",
  }).output();
  const shares = new Map<string, number>();
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    const [percent, thread, file] = line.split(";").map((each) => each.trim());
    if (file === undefined || !/^[\d.]+%$/.test(percent!)) continue;
    const [place] = PLACES.find(([, threads, files]) =>
      threads.test(thread!) && files.test(file)
    )!;
    const share = Number.parseFloat(percent!) / 100;
    shares.set(place, (shares.get(place) ?? 0) + share);
  }
  return shares;
}

function print(
  used: readonly number[],
  shares: readonly ReadonlyMap<string, number>[],
): void {
  const rows: (readonly [string, readonly string[]])[] = [
    ["", ROLES],
    ["processor time", used.map((seconds) => `${seconds.toFixed(2)} s`)],
    ...PLACES.map(([place]) =>
      [
        place,
        shares.map((each) => `${Math.round(100 * (each.get(place) ?? 0))} %`),
      ] as const
    ),
  ];
  for (const [place, cells] of rows) {
    const columns = cells.map((cell) => cell.padStart(8)).join("");
    console.log(`${place.padEnd(28)}${columns}`);
  }
}
