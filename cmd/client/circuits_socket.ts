import type { CircuitStatus } from "../../lib/onion/mod.ts";
import { formatRelayAddress } from "../../lib/directory/mod.ts";
import { formatFingerprint } from "../../lib/identity/mod.ts";
import { utf8, writeAll } from "../../lib/protocol/mod.ts";
import type { Io } from "../io.ts";
import { privateDirectory, sottoPaths } from "../paths.ts";

/** A circuit as `client circuits` shows it. */
export interface ShownCircuit {
  readonly id: number;
  readonly path: readonly {
    readonly fingerprint: string;
    readonly address: string;
  }[];
  readonly streams: number;
  readonly used: boolean;
  /** Seconds since it was built. */
  readonly age: number;
  /** Milliseconds that building it took. */
  readonly took: number;
  readonly received: number;
  readonly sent: number;
}

const NAME = /^onion-(\d+)\.sock$/;

/**
 * A socket of this process, in a directory that is its owner's alone, that tells whoever connects about
 * the circuits that are open. `sotto client circuits` asks it.
 */
export class CircuitsSocket {
  readonly #listener: Deno.UnixListener;
  readonly #path: string;
  readonly #serving: Promise<void>;

  private constructor(
    listener: Deno.UnixListener,
    path: string,
    circuits: () => readonly CircuitStatus[],
  ) {
    this.#listener = listener;
    this.#path = path;
    this.#serving = this.#serve(circuits);
  }

  /** Listens in the runtime directory. */
  static async open(
    io: Io,
    circuits: () => readonly CircuitStatus[],
  ): Promise<CircuitsSocket> {
    const directory = await privateDirectory(sottoPaths(io).runtime);
    const path = `${directory}/onion-${Deno.pid}.sock`;
    await remove(path);
    const listener = Deno.listen({ transport: "unix", path });
    return new CircuitsSocket(listener, path, circuits);
  }

  /** Listens no more. */
  async close(): Promise<void> {
    this.#listener.close();
    await this.#serving;
    await remove(this.#path);
  }

  async #serve(circuits: () => readonly CircuitStatus[]): Promise<void> {
    for await (const connection of this.#listener) {
      try {
        const shown = JSON.stringify(circuits().map(show));
        await writeAll(connection, utf8(shown));
      } catch {
        // Whoever asked is gone.
      }
      connection.close();
    }
  }
}

/** What every process that uses the onion has open, by the number of the process. */
export async function askCircuits(
  io: Io,
): Promise<ReadonlyMap<number, readonly ShownCircuit[]>> {
  const { runtime } = sottoPaths(io);
  const found = new Map<number, readonly ShownCircuit[]>();
  for (const name of await namesIn(runtime)) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined) continue;
    try {
      const path = `${runtime}/${name}`;
      using connection = await Deno.connect({ transport: "unix", path });
      const text = await new Response(connection.readable).text();
      found.set(Number(pid), JSON.parse(text));
    } catch {
      // A process that was killed has left its socket behind.
    }
  }
  return found;
}

async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

function show(circuit: CircuitStatus): ShownCircuit {
  return {
    ...circuit,
    path: circuit.path.map(({ descriptor }) => ({
      fingerprint: formatFingerprint(descriptor.identity.fingerprint, ""),
      address: formatRelayAddress(descriptor.address),
    })),
    age: Math.round(circuit.age / 1_000),
    took: Math.round(circuit.took),
  };
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
