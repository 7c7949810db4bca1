import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { isInstalled } from "./files_daemon.ts";
import {
  figuresAlone,
  figuresBeside,
  SEQUENTIAL,
  STREAMS,
  TOGETHER,
} from "./onion_figures.ts";
import type { Results } from "./onion_figures.ts";
import type { Stage } from "./onion_process.ts";
import { hasNginx } from "./onion_site.ts";
import { Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";
import { torVersion } from "./tor_keys.ts";

const MIB = 1_048_576;

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
        await process.ask({ ...DOWNLOAD, through });
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
  return [
    ...figuresBeside(sotto, tor),
    ...figuresAlone(sotto, tor, seal, raw),
  ];
}
