import { RunMode } from "../../lib/mix/round.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { numberOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const MIXES = 3;
/** A mix with keys for every round, against X25519 alone, and at least so many onions in a second. */
const SHARE = 0.4;
const RATE = 8_000;
/** In what a round of so many onions is told. */
const ROUND = 10_000;
/**
 * Vuvuzela (github.com/vuvuzela/vuvuzela, Go, NaCl boxes): a chain of three mixes in one run on two such
 * processors, 10,000 onions: per second, and seconds for the round.
 */
const VUVUZELA = { rate: 12_800, seconds: 0.78 };

/** Onions per second, and processor time for each in µs. */
interface Pace {
  readonly rate: number;
  readonly cost: number;
}

/**
 * What the layers of onions cost: every onion opened, its reply sealed, replays looked for; without
 * connections, noise and shuffling. With keys for every round that is X25519 and what goes with it, so X25519
 * alone is the limit: for one mix, and a third of it for a chain of three whose mixes share the processors.
 * With circuits it is two calls to WebCrypto.
 */
export const MIX_ONIONS: Benchmark = {
  name: "mix",
  async prepare({ quick }): Promise<Prepared> {
    const count = quick ? 2_000 : ROUND;
    const mixes = await Subprocess.start("mix_onions_process.ts", [
      String(count),
    ]);
    const paceOf = async (question: Json): Promise<Pace> => {
      const answer = await mixes.ask(question);
      return {
        rate: count / numberOf(answer, "seconds"),
        cost: numberOf(answer, "cpu") * 1e6 / count,
      };
    };
    const pass = (mode: RunMode, through: number) =>
      paceOf({ ask: "pass", mode, mixes: through });
    return {
      async run(): Promise<Measurement[]> {
        const raw = await paceOf({ ask: "raw" });
        const one = await pass(RunMode.ROUNDS, 1);
        const oneCircuits = await pass(RunMode.CIRCUITS, 1);
        const chain = await pass(RunMode.ROUNDS, MIXES);
        const chainCircuits = await pass(RunMode.CIRCUITS, MIXES);
        const third = {
          name: "X25519 alone, three times",
          value: raw.rate / MIXES,
        };
        return [
          rateOf("X25519 alone", raw),
          costOf("X25519 alone", raw),
          {
            ...rateOf("one mix", one),
            against: { name: "X25519 alone", value: raw.rate },
            aim: { least: SHARE },
          },
          { ...rateOf("one mix, absolute", one), aim: { least: RATE } },
          costOf("one mix", one),
          rateOf("one mix, circuits", oneCircuits),
          costOf("one mix, circuits", oneCircuits),
          { ...rateOf("three mixes", chain), against: third },
          roundOf("three mixes", chain),
          {
            ...rateOf("three mixes, circuits", chainCircuits),
            against: { name: "Vuvuzela", value: VUVUZELA.rate },
            aim: { least: 1 },
          },
          {
            ...roundOf("three mixes, circuits", chainCircuits),
            aim: { most: 1 },
          },
          costOf("three mixes, circuits", chainCircuits),
        ];
      },
      close: () => mixes[Symbol.asyncDispose](),
    };
  },
};

function rateOf(name: string, { rate }: Pace): Measurement {
  return { name, value: rate, unit: "/s" };
}

function costOf(name: string, { cost }: Pace): Measurement {
  return { name: `${name}, processor time`, value: cost, unit: "µs" };
}

function roundOf(name: string, { rate }: Pace): Measurement {
  return {
    name: `${name}, a round of ${ROUND}`,
    value: ROUND / rate,
    unit: "s",
    against: { name: "Vuvuzela", value: VUVUZELA.seconds },
  };
}
