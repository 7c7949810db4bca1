import type { Aim, Benchmark, Measurement, Prepared } from "./benchmark.ts";
import type { Cost } from "./files_cost.ts";
import { startSotto } from "./files_sotto.ts";
import { makeSource, takeAway, warm } from "./files_source.ts";
import type { Source } from "./files_source.ts";
import { startSsh } from "./files_ssh.ts";
import type { Way, Ways } from "./files_way.ts";
import { startWormhole } from "./files_wormhole.ts";

/** What is brought: MB (10^6 bytes) per second of a file, files per second of a tree. */
const WHATS = ["file", "tree"] as const;
type What = typeof WHATS[number];
const UNITS = { file: "MB/s", tree: "files/s" } as const;

/** At least as fast as this one, and no more work; the others are there to be seen. */
const AIM = "magic-wormhole";
/** On two such processors, where a peer is not installed. */
const ELSEWHERE: Readonly<Record<string, Partial<Record<What, number>>>> = {
  [AIM]: { file: 240, tree: 5_200 },
  "scp": { file: 252, tree: 1_800 },
  "scp with AES-GCM": { file: 380 },
  "rsync over ssh": { tree: 11_000 },
};
/** Most memory of each process, in MB. */
const MEMORY = 150;
const PARTIES = ["sender", "receiver", "server"] as const;

/**
 * A large file and a tree of small ones, in memory, from a sender's process through a server's to the
 * process of a receiver who takes them at the same time, from the start of both to the end of both.
 * What arrived is compared afterwards. magic-wormhole does the same through its relay; scp and rsync
 * go directly. All of them do in the same run what they do.
 */
export const FILES: Benchmark = {
  name: "files",
  async prepare({ quick, directory }): Promise<Prepared> {
    const place = await memoryDirectory(directory);
    const started: AsyncDisposable[] = [];
    async function close(): Promise<void> {
      for (const each of started.reverse()) await each[Symbol.asyncDispose]();
      await Deno.remove(place, { recursive: true });
    }
    async function start(
      name: string,
      begin: (directory: string) => Promise<Ways | undefined>,
    ): Promise<Record<string, Way>> {
      await Deno.mkdir(`${place}/${name}`);
      const ways = await begin(`${place}/${name}`);
      if (ways !== undefined) started.push(ways);
      return { ...ways?.ways };
    }
    try {
      const source = await makeSource(
        place,
        quick ? 128 : 1_024,
        quick ? 2_000 : 10_000,
      );
      const own = await start("sotto", startSotto);
      const peers = {
        ...await start("wormhole", startWormhole),
        ...await start("ssh", startSsh),
      };
      tellMissing(peers);
      return { run: () => run(source, own.sotto!, peers), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

/** A directory that is no disk's, if there is one. */
async function memoryDirectory(otherwise: string): Promise<string> {
  const prefix = "sotto-bench-";
  try {
    return await Deno.makeTempDir({ dir: "/dev/shm", prefix });
  } catch {
    return await Deno.makeTempDir({ dir: otherwise, prefix });
  }
}

function tellMissing(peers: Readonly<Record<string, Way>>): void {
  const missing = Object.keys(ELSEWHERE).filter((name) => !(name in peers));
  if (missing.length === 0) return;
  // deno-lint-ignore no-console -- seen by whoever runs the benchmark
  console.error(
    `not installed: ${missing.join(", ")}: the figures are from elsewhere`,
  );
}

async function run(
  source: Source,
  sotto: Way,
  peers: Readonly<Record<string, Way>>,
): Promise<Measurement[]> {
  const costs = new Map<What, Cost>();
  const figures: Measurement[] = [];
  for (const what of WHATS) {
    const own = await bring(sotto, source, what);
    costs.set(what, own);
    for (const [name, elsewhere] of Object.entries(ELSEWHERE)) {
      if (elsewhere[what] === undefined) continue;
      const peer = peers[name] &&
        await bring(peers[name], source, what);
      const aim = name === AIM;
      figures.push({
        name: `a ${what}`,
        value: speed(own, source, what),
        unit: UNITS[what],
        against: peer === undefined
          ? { name: `${name} elsewhere`, value: elsewhere[what] }
          : { name, value: speed(peer, source, what) },
        ...aim ? { aim: { least: 1 } } : {},
      });
      if (peer === undefined) continue;
      figures.push(
        work(own, { name, cost: peer }, source, what, aim ? { most: 1 } : null),
      );
    }
  }
  PARTIES.forEach((party, i) => {
    const peaks = [...costs.values()].map(({ peaks }) => peaks[i]!);
    figures.push({
      name: `most memory of the ${party}`,
      value: Math.max(...peaks) / 1e6,
      unit: "MB",
      aim: { most: MEMORY },
    });
  });
  return figures;
}

async function bring(way: Way, source: Source, what: What): Promise<Cost> {
  if (what === "file") warm(source);
  const cost = await way.bring(source[what], source.destination);
  takeAway(source, what);
  return cost;
}

function speed({ seconds }: Cost, source: Source, what: What): number {
  return (what === "file" ? source.bytes / 1e6 : source.files) / seconds;
}

/** Processor time of everybody. */
function work(
  own: Cost,
  peer: { readonly name: string; readonly cost: Cost },
  { bytes, files }: Source,
  what: What,
  aim: Aim | null,
): Measurement {
  const [per, unit] = what === "file"
    ? [1e9 / bytes, "s/GB"]
    : [1e6 / files, "µs/file"];
  return {
    name: `a ${what}: processor of everybody`,
    value: own.cpu * per,
    unit,
    against: { name: peer.name, value: peer.cost.cpu * per },
    ...aim === null ? {} : { aim },
  };
}
