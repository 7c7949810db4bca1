import { quantile } from "./benchmark.ts";
import type { Aim, Measurement } from "./benchmark.ts";
import { numberOf, numbersOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

/** Streams at once. */
export const STREAMS = 8;
/** Requests one after another, and circuits. */
export const SEQUENTIAL = 200;
/** Requests at once. */
export const TOGETHER = 32;
/** Layers that are put on or taken off every byte: the relays' and the client's. */
const LAYERS = 6;
/** Most memory of a relay, in MB. */
const MEMORY = 120;

/** What one network has done in one run. */
export interface Results {
  readonly one: Json;
  readonly oneCircuit: Json;
  readonly eightCircuits: Json;
  readonly sequential: Json;
  readonly parallel: Json;
  readonly circuits: Json;
}

/** What is held against the peer. */
export function figuresBeside(
  sotto: Results,
  tor: Results | undefined,
): Measurement[] {
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

/**
 * What is held against nothing, or against what the machine can do: `seal` and `raw` are the answers of
 * `onion_raw_process.ts`, and of a download through it.
 */
export function figuresAlone(
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
