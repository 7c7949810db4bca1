import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import { formatDuration } from "../format_duration.ts";
import type { Io } from "../io.ts";
import { formatSize } from "../size.ts";
import { formatTable } from "../table.ts";
import { askCircuits } from "./circuits_socket.ts";
import type { ShownCircuit } from "./circuits_socket.ts";

/** Help for `sotto client circuits`. */
export const usage =
  `sotto client circuits shows the circuits that sotto has open on this machine.

Usage: sotto client circuits [--json]

Every command of yours that uses the onion and runs now (client proxy, client forward, ...) tells what it has
open: through which relays, guard first, how many streams, what has come and gone, and how fast it goes now.
A circuit without use is kept ready.

Examples:
  sotto client circuits
  sotto client circuits --json
`;

/** Between the two looks from which the speed is told, in milliseconds. */
const INTERVAL = 500;
/** Digits of a fingerprint that are shown to people. */
const SHORT = 8;

/** A circuit of one process, and what has passed in the interval. */
interface Row extends ShownCircuit {
  readonly process: number;
  /** Bytes per second, both directions together. */
  readonly rate: number;
}

/** `sotto client circuits`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, COMMON_FLAGS);
  const rows = await look(io);
  if (flags.json) {
    for (const row of rows) await io.stdout.write(`${JSON.stringify(row)}\n`);
  } else if (rows.length === 0) {
    await io.stderr.write("no circuits: nothing of yours uses the onion now\n");
  } else await io.stdout.write(tableOf(rows));
  return 0;
}

async function look(io: Io): Promise<Row[]> {
  const before = await askCircuits(io);
  if (before.size > 0) {
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
  const rows: Row[] = [];
  for (const [process, circuits] of await askCircuits(io)) {
    for (const circuit of circuits) {
      const earlier = before.get(process)?.find(({ id }) => id === circuit.id);
      const passed = circuit.received + circuit.sent -
        (earlier?.received ?? 0) - (earlier?.sent ?? 0);
      const rate = Math.round(passed * 1_000 / INTERVAL);
      rows.push({ process, ...circuit, rate });
    }
  }
  return rows;
}

function tableOf(rows: readonly Row[]): string {
  const right = (title: string) => ({ title, align: "right" as const });
  return formatTable(
    [
      right("PROCESS"),
      right("CIRCUIT"),
      { title: "USE" },
      right("STREAMS"),
      right("AGE"),
      right("BUILT IN"),
      right("RECEIVED"),
      right("SENT"),
      right("NOW"),
      { title: "THROUGH" },
    ],
    rows.map((row) => [
      String(row.process),
      String(row.id),
      row.used ? "used" : "ready",
      String(row.streams),
      formatDuration(row.age * 1_000),
      `${row.took} ms`,
      formatSize(row.received),
      formatSize(row.sent),
      `${formatSize(row.rate)}/s`,
      row.path.map(({ fingerprint }) => fingerprint.slice(0, SHORT))
        .join(" > "),
    ]),
  );
}
