import { NOISE_LEVELS } from "../../lib/mix/noise/noise_level.ts";
import { RunMode } from "../../lib/mix/round.ts";
import { median, quantile } from "./benchmark.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { sleep } from "./connecting.ts";
import { MIXES, MixNetwork } from "./mix_network.ts";
import { cpuSeconds } from "./process_cost.ts";
import { numberOf, numbersOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const PERIOD = 2_000;
const SLOTS = 3;
/** Pairs who talk, and clients beside them in their process that have nothing to say. */
const PAIRS = 4;
const COVERS = 2;
/** How many processors the machine has for all of it. */
const PROCESSORS = navigator.hardwareConcurrency;
/** What calling may take before people talk, in milliseconds. */
const CALLING = 20_000;
const RESERVE = 1.5;
const HOUR = 3_600;

/**
 * How long a text is on its way between two people who talk in rounds of 2 seconds, among 10, 100 and 1,000
 * clients, through a server and two more mixes, everything on sockets. It waits for the next round, for the
 * end of its window, and for the mixes. Eight people talk at a time, so that there are enough texts. And how
 * many bytes a client's connection carries in an hour, whether it has something to say or not.
 */
export const MIX_LATENCY: Benchmark = {
  name: "mix-latency",
  prepare({ quick, directory }): Promise<Prepared> {
    let run = 0;
    return Promise.resolve({
      async run(): Promise<Measurement[]> {
        const folder = async () => {
          const path = `${directory}/latency-${run++}`;
          await Deno.mkdir(path);
          return path;
        };
        // Settings of all kinds come once in two minutes.
        const few = await live(await folder(), 10, quick ? 20 : 120);
        const some = await live(await folder(), 100, quick ? 20 : 60);
        const many = await prepared(
          await folder(),
          quick ? 300 : 1_000,
          quick ? 20 : 60,
        );
        return [
          ...latencyOf(10, few),
          ...bytesOf(few),
          ...latencyOf(100, some),
          {
            name: "a client, processor time of a round",
            value: some.client * 1_000,
            unit: "ms",
          },
          ...latencyOf(quick ? 300 : 1_000, many),
          {
            name: "shortest round of 1,000 clients that make onions meanwhile",
            value: (1_000 * some.client + many.mixes) / PROCESSORS,
            unit: "s",
          },
        ];
      },
      close: () => Promise.resolve(),
    });
  },
};

/** What was measured among a number of clients. */
interface Talked {
  readonly latencies: readonly number[];
  readonly busy: readonly number[];
  readonly idle: readonly number[];
  readonly missed: number;
  readonly seconds: number;
  /** Processor time of a client of the crowd, and of all mixes, for a round, in seconds. */
  readonly client: number;
  readonly mixes: number;
}

/** Among clients that are as real ones in everything. */
async function live(
  folder: string,
  size: number,
  seconds: number,
): Promise<Talked> {
  await using network = await MixNetwork.start(folder);
  await network.open({
    mode: RunMode.ROUNDS,
    noise: NOISE_LEVELS.lab,
    exchange: { period: PERIOD },
    dialing: {},
    lead: 2_000,
  });
  await using people = await startPeople(network, PAIRS, COVERS);
  const covers = size - 2 * PAIRS - COVERS;
  await using crowd = await startPeople(network, 0, covers);
  await crowd.ask({ ask: "call" });
  await people.ask({ ask: "call" });
  const processes = () => [...network.cpu(), cpuSeconds(crowd.pid)];
  const before = processes();
  const begin = performance.now();
  const answer = await people.ask({ ask: "talk", seconds, exact: true });
  const rounds = (performance.now() - begin) / PERIOD;
  const spent = processes().map((each, i) => (each - before[i]!) / rounds);
  const client = covers === 0 ? 0 : spent.at(-1)! / covers;
  return talked(answer, seconds, client, sum(spent.slice(0, -1)));
}

/** Among clients that have made their onions before. */
async function prepared(
  folder: string,
  size: number,
  seconds: number,
): Promise<Talked> {
  await using network = await MixNetwork.start(folder);
  await using crowd = await Subprocess.start("mix_crowd_process.ts", [
    String(MIXES),
  ]);
  const rounds = Math.ceil((CALLING + seconds * 1_000) / PERIOD);
  const dialing = { period: 4_000, count: Math.ceil(rounds / 2) + 1 };
  const covers = size - 2 * PAIRS - COVERS;
  const onions = covers * (rounds * SLOTS + dialing.count);
  const making = onions * numberOf(crowd.greeting, "seconds") * 1_000;
  await network.open({
    mode: RunMode.ROUNDS,
    noise: NOISE_LEVELS.lab,
    exchange: { period: PERIOD, count: rounds },
    dialing,
    lead: 30_000 + making * RESERVE,
  });
  const { first } = await crowd.ask({
    ask: "prepare",
    ...network.said,
    size: covers,
  }) as { first: number };
  await using people = await startPeople(network, PAIRS, COVERS);
  await sleep(first - 1_000 - Date.now());
  const running = crowd.ask({ ask: "run" });
  await people.ask({ ask: "call" });
  const left = first + rounds * PERIOD - Date.now() - 2 * PERIOD;
  const before = network.cpu();
  const talk = Math.min(seconds, left / 1_000);
  const answer = await people.ask({ ask: "talk", seconds: talk });
  const spent = network.cpu().map((each, i) =>
    (each - before[i]!) / (talk * 1_000 / PERIOD)
  );
  const went = (await running).rounds as Json[];
  const missing = sum(went.map((each) => covers - numberOf(each, "done")));
  const result = talked(answer, talk, 0, sum(spent));
  return { ...result, missed: result.missed + missing };
}

async function startPeople(
  network: MixNetwork,
  pairs: number,
  covers: number,
): Promise<Subprocess> {
  return await Subprocess.start("mix_people_process.ts", [
    JSON.stringify({ ...network.said, pairs, covers }),
  ]);
}

function talked(
  answer: Json,
  seconds: number,
  client: number,
  mixes: number,
): Talked {
  return {
    latencies: numbersOf(answer, "latencies"),
    busy: numbersOf(answer, "busy"),
    idle: numbersOf(answer, "idle"),
    missed: numberOf(answer, "missed"),
    seconds,
    client,
    mixes,
  };
}

function latencyOf(size: number, talked: Talked): Measurement[] {
  const { latencies, missed, mixes } = talked;
  const what = `among ${size} clients`;
  const time = (name: string, value: number) => ({
    name: `${what}, a text: ${name}`,
    value,
    unit: "ms",
  });
  return [
    time("median", median(latencies)),
    time("99 % are shown within", quantile(latencies, 0.99)),
    { name: `${what}: texts`, value: latencies.length, unit: "" },
    {
      name: `${what}: rounds of clients that were not answered`,
      value: missed,
      unit: "",
    },
    {
      name: `${what}: processor time of a round, all three mixes`,
      value: mixes * 1_000,
      unit: "ms",
    },
  ];
}

function bytesOf({ busy, idle, seconds }: Talked): Measurement[] {
  const hourly = (bytes: readonly number[]) =>
    median(bytes) / seconds * HOUR / 1e6;
  return [
    {
      name: "a client that talks, both ways in an hour",
      value: hourly(busy),
      unit: "MB",
      against: { name: "one that has nothing to say", value: hourly(idle) },
    },
    {
      name: "a client that has nothing to say, both ways in an hour",
      value: hourly(idle),
      unit: "MB",
    },
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
