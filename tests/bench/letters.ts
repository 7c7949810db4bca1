import { quantile } from "./benchmark.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { numberOf, numbersOf, Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";
import { startServer } from "./under_test.ts";

const PAIRS = 50;
const WINDOW = 8;
const RATE = 200;
/** prosody on such a machine, which keeps nothing: µs of processor per message, receipt p99 in ms. */
const PROSODY_CPU = 142;
const PROSODY_P99 = 6.7;

/**
 * 50 pairs through a server process; every letter is on its disk before "stored" is answered, and is
 * answered by a receipt that is a letter itself. "Light" clients post letters made ahead; "whole" ones
 * are mailboxes with vaults, which save everything first.
 */
export const LETTERS: Benchmark = {
  name: "letters",
  async prepare({ quick, directory }): Promise<Prepared> {
    const { server, people, said } = await startServer(directory, 2 * PAIRS);
    const args = [people, JSON.stringify(said)];
    const light = await Subprocess.start("letters_process.ts", args);
    const seconds = quick ? 3 : 6;
    return {
      async run(): Promise<Measurement[]> {
        const full = await light.ask({
          ask: "saturated",
          seconds,
          window: WINDOW,
        });
        const paced = await light.ask({ ask: "paced", seconds, rate: RATE });
        const results = [
          ...saturated("light", full),
          ...latency("light", paced),
        ];
        const vaults = await Deno.makeTempDir({ dir: directory });
        await using whole = await Subprocess.start("mailboxes_process.ts", [
          ...args,
          vaults,
        ]);
        results.push(
          ...latency(
            "whole",
            await whole.ask({ ask: "paced", seconds, rate: RATE }),
          ),
          ...saturated(
            "whole",
            await whole.ask({ ask: "saturated", seconds, window: WINDOW }),
          ),
        );
        return results;
      },
      async close() {
        await light[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

function saturated(kind: string, answer: Json): Measurement[] {
  const letters = numberOf(answer, "letters");
  return [{
    name: `letters with receipts, ${kind} clients, window 8`,
    value: letters / numberOf(answer, "elapsed"),
    unit: "/s",
  }, {
    name: `server processor per letter with receipt, ${kind} clients`,
    value: numberOf(answer, "serverCpu") / letters * 1e6,
    unit: "µs",
    against: { name: "prosody, nothing kept", value: PROSODY_CPU },
  }];
}

function latency(kind: string, answer: Json): Measurement[] {
  const delivery = numbersOf(answer, "delivery");
  const receipt = numbersOf(answer, "receipt");
  return [{
    name: `send to shown, ${kind} clients, 200/s, p50`,
    value: quantile(delivery, 0.5),
    unit: "ms",
  }, {
    name: `send to shown, ${kind} clients, 200/s, p99`,
    value: quantile(delivery, 0.99),
    unit: "ms",
    against: { name: "prosody, receipt p99", value: PROSODY_P99 },
  }, {
    name: `send to receipt, ${kind} clients, 200/s, p99`,
    value: quantile(receipt, 0.99),
    unit: "ms",
    against: { name: "prosody, receipt p99", value: PROSODY_P99 },
  }];
}
