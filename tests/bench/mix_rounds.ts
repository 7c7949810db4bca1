import { NOISE_LEVELS } from "../../lib/mix/noise/noise_level.ts";
import type { NoiseLevel } from "../../lib/mix/noise/noise_level.ts";
import { RunMode } from "../../lib/mix/round.ts";
import { median } from "./benchmark.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { sleep } from "./connecting.ts";
import { MIXES, MixNetwork } from "./mix_network.ts";
import { cpuSeconds } from "./process_cost.ts";
import { numberOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const SLOTS = 3;
const PERIOD = 2_000;
/** What connecting a client and everything else may take before the first round, in milliseconds. */
const EACH_CLIENT = 10;
const BASE = 15_000;
/** Longer than an onion took to make when nothing else was to be done. */
const RESERVE = 1.5;

/** Rounds of a crowd through a chain. */
interface Case {
  readonly name: string;
  readonly mode: RunMode;
  readonly noise: NoiseLevel;
}

const CASES: readonly Case[] = [
  {
    name: "keys for every round",
    mode: RunMode.ROUNDS,
    noise: NOISE_LEVELS.lab,
  },
  { name: "without noise", mode: RunMode.ROUNDS, noise: NOISE_LEVELS.none },
  { name: "circuits", mode: RunMode.CIRCUITS, noise: NOISE_LEVELS.lab },
];

/**
 * Rounds of 1,000 clients with three onions each: a server, which is the first mix, two mixes behind it, and
 * the clients, in four processes on sockets. Clients have made their onions before; dialing rounds go on
 * beside. A round must end before the next one has begun, and nobody may be missing.
 */
export const MIX_ROUNDS: Benchmark = {
  name: "mix-rounds",
  async prepare({ quick, directory }): Promise<Prepared> {
    const size = quick ? 200 : 1_000;
    const rounds = quick ? 5 : 10;
    let run = 0;
    return await Promise.resolve({
      async run(): Promise<Measurement[]> {
        const all: Measurement[] = [];
        for (const each of CASES) {
          const folder = `${directory}/rounds-${run++}`;
          await Deno.mkdir(folder);
          all.push(...await measure(folder, each, size, rounds));
        }
        return all;
      },
      close: () => Promise.resolve(),
    });
  },
};

async function measure(
  folder: string,
  { name, mode, noise }: Case,
  size: number,
  rounds: number,
): Promise<Measurement[]> {
  await using network = await MixNetwork.start(folder);
  await using crowd = await Subprocess.start("mix_crowd_process.ts", [
    String(MIXES),
  ]);
  const dialing = Math.ceil(rounds * PERIOD / 10_000) + 1;
  const onions = size * (SLOTS * rounds + dialing);
  const making = onions * numberOf(crowd.greeting, "seconds") * 1_000;
  await network.open({
    mode,
    noise,
    exchange: { period: PERIOD, count: rounds, slots: SLOTS },
    dialing: { count: dialing },
    lead: BASE + size * EACH_CLIENT + making * RESERVE,
  });
  const prepared = await crowd.ask({
    ask: "prepare",
    ...network.said,
    size,
    checks: true,
  });
  await sleep(numberOf(prepared, "first") - 500 - Date.now());
  const processes = () => [...network.cpu(), cpuSeconds(crowd.pid)];
  const before = processes();
  const answering = crowd.ask({ ask: "run" });
  await sleep(rounds * PERIOD);
  const cpu = processes().map((seconds, i) => (seconds - before[i]!) / rounds);
  const { last } = (await network.entry.ask({ ask: "status" })).exchange as {
    last: { durations: number[] };
  };
  const answer = await answering;
  const went = answer.rounds as Json[];
  const of = (what: string) => went.map((round) => numberOf(round, what));
  const missing = of("done").reduce((sum, done) => sum + size - done, 0);
  const what = `${name}, ${size} clients`;
  return [
    {
      name: `${what}: clients not answered in ${rounds} rounds`,
      value: missing,
      unit: "",
      aim: { most: 0 },
    },
    {
      name: `${what}: replies that are not as they must be`,
      value: numberOf(answer, "wrong"),
      unit: "",
      aim: { most: 0 },
    },
    milliseconds(`${what}: start to last reply, median`, median(of("took"))),
    {
      ...milliseconds(
        `${what}: start to last reply, longest`,
        Math.max(...of("took")),
      ),
      aim: { most: PERIOD },
    },
    milliseconds(
      `${what}: end of window to last reply, median`,
      median(of("afterWindow")),
    ),
    ...last.durations.map((each, place) =>
      milliseconds(`${what}: of that, mix ${place + 1}`, each)
    ),
    ...["server and first mix", "second mix", "third mix", "clients"].map(
      (who, i) =>
        milliseconds(
          `${what}: processor time of a round, ${who}`,
          cpu[i]! * 1_000,
        ),
    ),
  ];
}

function milliseconds(name: string, value: number): Measurement {
  return { name, value, unit: "ms" };
}
