import { quantile } from "./benchmark.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { startPeer } from "./peer.ts";
import { numberOf, numbersOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";
import { startServer } from "./under_test.ts";

const PAIRS = 50;
const WINDOW = 8;
const RATE = 200;
/** Letters per second that whole mailboxes in one process keep up with. */
const CALM_RATE = 20;
/** prosody on two such processors: messages per second, µs of processor for each, receipt p99 in ms. */
const PROSODY: Figures = {
  rate: 7_021,
  cost: 142,
  shown: 6.7,
  receipt: 6.7,
  shownMiddle: NaN,
  receiptMiddle: NaN,
};

/**
 * 50 pairs through a server process; every letter is on its disk before "stored" is answered, and is
 * answered by a receipt that is a letter itself. "Light" clients post letters made ahead; "whole" ones
 * are mailboxes with vaults, all in one process, which save everything first. prosody keeps nothing.
 */
export const LETTERS: Benchmark = {
  name: "letters",
  async prepare({ quick, directory }): Promise<Prepared> {
    const { server, people, said } = await startServer(directory, 4 * PAIRS);
    const args = [people, JSON.stringify(said)];
    const light = await Subprocess.start("letters_process.ts", args);
    const whole = await Subprocess.start("mailboxes_process.ts", [
      ...args,
      directory,
    ]);
    const peer = await startPeer(directory, 2 * PAIRS);
    const seconds = quick ? 2 : 6;
    return {
      async run(): Promise<Measurement[]> {
        const prosody = peer === undefined
          ? PROSODY
          : await measured(peer, seconds);
        const from = peer === undefined ? "prosody elsewhere" : "prosody";
        const cheap = await measured(light, seconds);
        const calm = latencies(
          await whole.ask({ ask: "paced", seconds, rate: CALM_RATE }),
        );
        return [
          ...figures("light", cheap, prosody, from),
          {
            name: `whole clients: shown at ${CALM_RATE}/s, p50`,
            value: calm.shownMiddle,
            unit: "ms",
          },
          {
            name: `whole clients: shown at ${CALM_RATE}/s, p99`,
            value: calm.shown,
            unit: "ms",
          },
          ...figures("whole", await measured(whole, seconds), prosody, from),
        ];
      },
      async close() {
        await peer?.[Symbol.asyncDispose]();
        await whole[Symbol.asyncDispose]();
        await light[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

/** What one kind of client and its server did; the latencies are at `RATE`. */
interface Figures extends Latencies {
  /** Letters with their receipts per second, as many as go. */
  readonly rate: number;
  /** Processor time of the server for each of them, in µs. */
  readonly cost: number;
}

async function measured(
  clients: Subprocess,
  seconds: number,
): Promise<Figures> {
  const paced = await clients.ask({ ask: "paced", seconds, rate: RATE });
  const full = await clients.ask({ ask: "saturated", seconds, window: WINDOW });
  const letters = numberOf(full, "letters");
  return {
    rate: letters / numberOf(full, "elapsed"),
    cost: numberOf(full, "serverCpu") / letters * 1e6,
    ...latencies(paced),
  };
}

interface Latencies {
  /** Milliseconds until a letter is shown, and until its receipt is: 99th percentiles and medians. */
  readonly shown: number;
  readonly receipt: number;
  readonly shownMiddle: number;
  readonly receiptMiddle: number;
}

function latencies(paced: Json): Latencies {
  const shown = numbersOf(paced, "delivery");
  const receipt = numbersOf(paced, "receipt");
  return {
    shown: quantile(shown, 0.99),
    receipt: quantile(receipt, 0.99),
    shownMiddle: quantile(shown, 0.5),
    receiptMiddle: quantile(receipt, 0.5),
  };
}

function figures(
  kind: string,
  own: Figures,
  prosody: Figures,
  from: string,
): Measurement[] {
  const held = (
    name: string,
    field: "rate" | "cost" | "shown" | "receipt",
    unit: string,
  ): Measurement => ({
    name: `${kind} clients: ${name}`,
    value: own[field],
    unit,
    against: { name: from, value: prosody[field] },
  });
  const most = { aim: { most: 1 } };
  return [
    held(`letters with receipts, window ${WINDOW}`, "rate", "/s"),
    // What the server does for few letters at a time is not what the peer's figure is about.
    {
      ...held("server's processor for each", "cost", "µs"),
      ...kind === "light" ? most : {},
    },
    {
      name: `${kind} clients: shown at ${RATE}/s, p50`,
      value: own.shownMiddle,
      unit: "ms",
    },
    { ...held(`shown at ${RATE}/s, p99`, "shown", "ms"), ...most },
    {
      name: `${kind} clients: receipt at ${RATE}/s, p50`,
      value: own.receiptMiddle,
      unit: "ms",
    },
    { ...held(`receipt at ${RATE}/s, p99`, "receipt", "ms"), ...most },
  ];
}
