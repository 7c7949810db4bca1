import { NOISE_LEVELS } from "../../lib/mix/noise/noise_level.ts";
import { RunMode } from "../../lib/mix/round.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { fitLine } from "./mix_fit.ts";
import type { Line, Point } from "./mix_fit.ts";
import { numberOf, numbersOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const MIXES = 3;
const SIZES = [1_000, 2_000, 5_000, 10_000];
const LARGEST = 10_000;
/** Rounds of each size, so that processor time, which is counted in 10 ms, can be told. */
const ONIONS_IN_ALL = { [RunMode.ROUNDS]: 5_000, [RunMode.CIRCUITS]: 20_000 };
/** Onions a second of a million people, three every 2 seconds. */
const MILLION = 1_500_000;
/** Rounds of a run, of which one sets up the circuits. */
const RUN = 15;
/** Vuvuzela, as `mix_onions.ts` has it. */
const VUVUZELA = { rate: 12_800, seconds: 0.78 };
/** Noise that can be told from nothing, and for how many rounds it is made as soon as a run is signed. */
const NOISE = { mean: 500, scale: 10, rounds: 3 };

/** What the rounds of a mode cost each mix. */
interface Growth {
  /** Processor time by onions, of each mix. */
  readonly lines: readonly Line[];
  /** Of each mix, what it takes of the longest round in seconds, there and back. */
  readonly durations: readonly number[];
  /** Processor time of each mix by onions, to set up circuits. */
  readonly setUp: readonly Line[];
}

/**
 * What more onions cost: three mixes that are processes of their own and a coordinator, at four sizes, and
 * from the straight line through them what a million people would take, with three onions every 2 seconds.
 * And a round of 10,000 through a whole chain in one process, with shuffling, drops and a little noise, to
 * be held against a chain of Vuvuzela in one run.
 */
export const MIX_GROWTH: Benchmark = {
  name: "mix-growth",
  prepare({ quick }): Promise<Prepared> {
    const sizes = quick ? SIZES.map((each) => each / 5) : SIZES;
    return Promise.resolve({
      async run(): Promise<Measurement[]> {
        const local = await chainInOne(quick ? LARGEST / 5 : LARGEST);
        await using chain = await Chain.start();
        const noise = await chain.noise();
        const rounds = await chain.growth(RunMode.ROUNDS, sizes);
        const circuits = await chain.growth(RunMode.CIRCUITS, sizes);
        return [
          ...local,
          ...growthOf("keys for every round", rounds, sizes),
          ...growthOf("circuits", circuits, sizes),
          ...noise,
        ];
      },
      close: () => Promise.resolve(),
    });
  },
};

/** A coordinator and three mixes. */
class Chain implements AsyncDisposable {
  readonly #hosts: readonly Subprocess[];
  readonly #coordinator: Subprocess;

  private constructor(
    hosts: readonly Subprocess[],
    coordinator: Subprocess,
  ) {
    this.#hosts = hosts;
    this.#coordinator = coordinator;
  }

  static async start(): Promise<Chain> {
    const hosts = await Promise.all(
      Array.from(
        { length: MIXES },
        () => Subprocess.start("mix_host_process.ts"),
      ),
    );
    const said = hosts.map(({ pid, greeting }) => ({ ...greeting, pid }));
    const coordinator = await Subprocess.start("mix_chain_process.ts", [
      JSON.stringify(said),
    ]);
    return new Chain(hosts, coordinator);
  }

  async growth(mode: RunMode, sizes: readonly number[]): Promise<Growth> {
    await this.#level(NOISE_LEVELS.none);
    const points: Point[][] = this.#hosts.map(() => []);
    const setUps: Point[][] = this.#hosts.map(() => []);
    let durations: readonly number[] = [];
    for (const onions of sizes) {
      const some = Math.ceil(ONIONS_IN_ALL[mode] / onions);
      const rounds = mode === RunMode.CIRCUITS ? some + 1 : some;
      const answer = await this.#coordinator.ask({
        ask: "rounds",
        mode,
        onions,
        rounds,
      });
      addTo(points, onions, answer);
      if (answer.setUp !== undefined) {
        addTo(setUps, onions, answer.setUp as Json);
      }
      durations = numbersOf(answer, "durations");
    }
    return {
      lines: points.map(fitLine),
      durations,
      setUp: setUps.filter(({ length }) => length > 0).map(fitLine),
    };
  }

  /** What a mix takes to make an onion of its own, by the number of mixes behind it. */
  async noise(): Promise<Measurement[]> {
    const question = {
      ask: "noise",
      mode: RunMode.ROUNDS,
      onions: 0,
      rounds: NOISE.rounds,
    };
    await this.#level(NOISE_LEVELS.none);
    const without = numbersOf(await this.#coordinator.ask(question), "cpu");
    await this.#level(NOISE);
    const cpu = numbersOf(await this.#coordinator.ask(question), "cpu");
    // Singles, and half as many pairs.
    const onions = 2 * NOISE.mean * NOISE.rounds;
    return cpu.slice(0, -1).map((each, place) => ({
      name: `noise onion through ${MIXES - 1 - place}, processor time`,
      value: (each - without[place]!) / onions * 1e6,
      unit: "µs",
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#coordinator[Symbol.asyncDispose]();
    for (const host of this.#hosts) await host[Symbol.asyncDispose]();
  }

  async #level({ mean, scale }: { mean: number; scale: number }) {
    for (const host of this.#hosts) {
      await host.ask({ ask: "noise", mean, scale });
    }
  }
}

function addTo(points: Point[][], onions: number, answer: Json): void {
  numbersOf(answer, "cpu").forEach((seconds, place) => {
    points[place]!.push({ x: onions, y: seconds });
  });
}

async function chainInOne(onions: number): Promise<Measurement[]> {
  await using chain = await Subprocess.start("mix_chain_process.ts", ["[]"]);
  const measurements: Measurement[] = [];
  for (const [name, mode] of Object.entries(RunMode)) {
    const answer = await chain.ask({
      ask: "rounds",
      mode,
      onions,
      rounds: mode === RunMode.CIRCUITS ? 3 : 1,
    });
    const seconds = numberOf(answer, "seconds");
    const what = `chain of ${MIXES} in a process, ${name.toLowerCase()}`;
    measurements.push(
      {
        name: what,
        value: onions / seconds,
        unit: "/s",
        against: { name: "Vuvuzela", value: VUVUZELA.rate },
        ...mode === RunMode.CIRCUITS ? { aim: { least: 1 } } : {},
      },
      {
        name: `${what}, a round of ${LARGEST}`,
        value: seconds * LARGEST / onions,
        unit: "s",
        against: { name: "Vuvuzela", value: VUVUZELA.seconds },
        ...mode === RunMode.CIRCUITS ? { aim: { most: 1 } } : {},
      },
    );
  }
  return measurements;
}

function growthOf(
  name: string,
  { lines, durations, setUp }: Growth,
  sizes: readonly number[],
): Measurement[] {
  const slopes = lines.map(({ slope }, place) =>
    setUp.length === 0 ? slope : (slope * (RUN - 1) + setUp[place]!.slope) / RUN
  );
  const perChain = sizes.at(-1)! / Math.max(...durations);
  return [
    ...lines.flatMap(({ slope, start, error }, place) => [
      {
        name: `${name}, mix ${place + 1}: processor time of an onion`,
        value: slope * 1e6,
        unit: "µs",
      },
      {
        name: `${name}, mix ${place + 1}: of a round without onions`,
        value: start * 1_000,
        unit: "ms",
      },
      {
        name: `${name}, mix ${place + 1}: most that a size is off the line`,
        value: error * 100,
        unit: "%",
      },
    ]),
    ...setUp.map(({ slope }, place) => ({
      name: `${name}, mix ${place + 1}: processor time to set one up`,
      value: slope * 1e6,
      unit: "µs",
    })),
    {
      name: `${name}: onions that a chain passes, its slowest mix alone`,
      value: perChain,
      unit: "/s",
    },
    {
      name: `${name}, a million people: processors at all mixes`,
      value: MILLION * slopes.reduce((sum, each) => sum + each, 0),
      unit: "",
    },
    {
      name: `${name}, a million people: chains side by side`,
      value: MILLION / perChain,
      unit: "",
    },
  ];
}
