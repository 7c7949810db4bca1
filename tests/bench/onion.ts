import { quantile } from "./benchmark.ts";
import type { Aim, Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { isInstalled } from "./files_daemon.ts";
import type { Stage } from "./onion_process.ts";
import { hasNginx } from "./onion_site.ts";
import { numberOf, numbersOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";
import { torVersion } from "./tor_network.ts";

const MIB = 1_048_576;
/** Streams at once. */
const STREAMS = 8;
/** Requests one after another, and circuits. */
const SEQUENTIAL = 200;
const TOGETHER = 32;
/** Layers that are put on or taken off every byte: the relays' and the client's. */
const LAYERS = 6;
/** Most memory of a relay, in MB. */
const MEMORY = 120;

/**
 * Three hops on loopback: a controller, three relays and a client of sotto, each its own process, beside
 * a private Tor network that is tuned for it, as `tor_network.ts` says. The same nginx is the destination
 * of both and the same curl comes through both, in turn. Raw is what would be possible if the layers cost
 * something and nothing else did: ChaCha20-Poly1305 of 64 KiB, 16 in flight.
 */
export const ONION: Benchmark = {
  name: "onion",
  async prepare({ quick, directory }): Promise<Prepared> {
    if (!await isInstalled("curl", "--version")) {
      throw new Error("Cannot measure: apt-get install curl");
    }
    const tor = await torVersion();
    await tellMissing(tor);
    const stage: Stage = {
      directory,
      tor: tor !== undefined,
      files: {
        big: (quick ? 32 : 256) * MIB,
        part: (quick ? 4 : 16) * MIB,
        small: 1_024,
      },
    };
    const process = await Subprocess.start("onion_process.ts", [
      JSON.stringify(stage),
    ]);
    const names = tor === undefined ? ["sotto"] : ["tor", "sotto"];
    try {
      for (const through of names) {
        await process.ask({ ...DOWNLOAD, through, file: "part" });
      }
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
    return {
      run: () => run(process, names, quick),
      close: () => process[Symbol.asyncDispose](),
    };
  },
};

const DOWNLOAD = { ask: "download", file: "big", together: 1, logins: false };

async function tellMissing(tor: string | undefined): Promise<void> {
  const missing = [
    ...tor === undefined ? ["tor"] : [],
    ...await hasNginx() ? [] : ["nginx-light"],
  ];
  if (missing.length === 0) return;
  // deno-lint-ignore no-console -- seen by whoever runs the benchmark
  console.error(
    `not installed: ${missing.join(", ")}: apt-get install ${
      missing.join(" ")
    }`,
  );
}

/** What one network has done in one run. */
interface Results {
  readonly one: Json;
  readonly oneCircuit: Json;
  readonly eightCircuits: Json;
  readonly sequential: Json;
  readonly parallel: Json;
  readonly circuits: Json;
}

const WORK: Readonly<Record<keyof Results, Json>> = {
  one: DOWNLOAD,
  oneCircuit: { ...DOWNLOAD, file: "part", together: STREAMS },
  eightCircuits: { ...DOWNLOAD, file: "part", together: STREAMS, logins: true },
  sequential: { ask: "request", count: SEQUENTIAL, together: 1 },
  parallel: { ask: "request", count: 2_000, together: TOGETHER },
  circuits: { ask: "build", count: SEQUENTIAL },
};

async function run(
  process: Subprocess,
  names: readonly string[],
  quick: boolean,
): Promise<Measurement[]> {
  const bytes = (quick ? 64 : 512) * MIB;
  const seal = await process.ask({ ask: "seal", bytes });
  const raw = await process.ask({ ...DOWNLOAD, through: "raw" });
  const results: Record<string, Partial<Record<keyof Results, Json>>> = {};
  for (const [work, question] of Object.entries(WORK)) {
    for (const through of names) {
      const answer = await process.ask({ ...question, through });
      results[through] = { ...results[through], [work]: answer };
    }
  }
  const sotto = results.sotto as Results;
  const tor = results.tor as Results | undefined;
  return [...beside(sotto, tor), ...alone(sotto, tor, seal, raw)];
}

/** What is held against the peer. */
function beside(sotto: Results, tor: Results | undefined): Measurement[] {
  const figure = (
    name: string,
    unit: string,
    of: (results: Results) => number,
    aim?: Aim,
  ): Measurement => ({
    name,
    unit,
    value: of(sotto),
    ...tor === undefined ? {} : { against: { name: "tor", value: of(tor) } },
    ...tor === undefined || aim === undefined ? {} : { aim },
  });
  const first = (share: number) => ({ sequential }: Results) =>
    quantile(numbersOf(sequential, "first"), share);
  const connect = (share: number) => ({ sequential }: Results) =>
    quantile(numbersOf(sequential, "connect"), share);
  const built = (share: number) => ({ circuits }: Results) =>
    quantile(numbersOf(circuits, "took"), share);
  return [
    figure("one stream", "MB/s", ({ one }) => rate(one), { least: 1.3 }),
    figure(
      "one stream: processor of client and relays",
      "s/GB",
      ({ one }) => cost(one, "clientCpu") + cost(one, "relaysCpu"),
      { most: 1 },
    ),
    figure(
      "one stream: processor of the client alone",
      "s/GB",
      ({ one }) => cost(one, "clientCpu"),
    ),
    figure(
      `${STREAMS} streams on one circuit`,
      "MB/s",
      ({ oneCircuit }) => rate(oneCircuit),
      { least: 1 },
    ),
    figure(
      `${STREAMS} streams on ${STREAMS} circuits`,
      "MB/s",
      ({ eightCircuits }) => rate(eightCircuits),
      { least: 1 },
    ),
    figure("stream opened, median", "ms", connect(0.5)),
    figure("stream opened, p99", "ms", connect(0.99)),
    figure("first byte, median", "ms", first(0.5), { most: 2 }),
    figure("first byte, p99", "ms", first(0.99)),
    figure(
      `requests, ${TOGETHER} at once`,
      "/s",
      ({ parallel }) =>
        numbersOf(parallel, "first").length / numberOf(parallel, "seconds"),
      { least: 0.5 },
    ),
    figure(
      `requests, ${TOGETHER} at once: processor`,
      "ms each",
      ({ parallel }) =>
        (numberOf(parallel, "clientCpu") + numberOf(parallel, "relaysCpu")) *
        1_000 / numbersOf(parallel, "first").length,
    ),
    figure("circuit built, median", "ms", built(0.5), { most: 2 }),
    figure("circuit built, p99", "ms", built(0.99)),
  ];
}

/** What is held against nothing, or against what the machine can do. */
function alone(
  sotto: Results,
  tor: Results | undefined,
  seal: Json,
  raw: Json,
): Measurement[] {
  const peak = (results: Results) =>
    Math.max(
      ...Object.values(results).map((each) => numberOf(each, "peak")),
    ) / 1e6;
  const limit = "raw layers";
  return [
    {
      name: "circuits open at once",
      value: numberOf(sotto.circuits, "open"),
      unit: "",
      aim: { least: SEQUENTIAL },
    },
    {
      name: "most memory of a relay",
      value: peak(sotto),
      unit: "MB",
      aim: { most: MEMORY },
    },
    ...tor === undefined ? [] : [{
      name: "most memory of a relay, Tor",
      value: peak(tor),
      unit: "MB",
    }],
    {
      name: "one stream",
      value: rate(sotto.one),
      unit: "MB/s",
      against: { name: limit, value: numberOf(seal, "rate") / LAYERS },
    },
    {
      name: "one stream: processor of client and relays",
      value: cost(sotto.one, "clientCpu") + cost(sotto.one, "relaysCpu"),
      unit: "s/GB",
      against: { name: limit, value: numberOf(seal, "cost") * LAYERS },
    },
    {
      name: "one stream",
      value: rate(sotto.one),
      unit: "MB/s",
      against: { name: "TCP through one process", value: rate(raw) },
    },
    { name: "raw seal", value: numberOf(seal, "rate"), unit: "MB/s" },
  ];
}

/** MB/s of a download. */
function rate(answer: Json): number {
  return numberOf(answer, "bytes") / 1e6 / numberOf(answer, "seconds");
}

/** Seconds of processor time for a GB of a download. */
function cost(answer: Json, whose: "clientCpu" | "relaysCpu"): number {
  return numberOf(answer, whose) / (numberOf(answer, "bytes") / 1e9);
}
