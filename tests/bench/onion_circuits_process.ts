/**
 * Builds circuits through a network, as the client does. Arguments: the address of the controller and a
 * directory; asked for `count` circuits it says what each `took`, and how many were `open` at the end.
 *
 * @module
 */
import {
  consensusFile,
  Directory,
  networkOf,
} from "../../lib/directory/mod.ts";
import { parseServerAddress } from "../../lib/identity/mod.ts";
import { dial } from "../../lib/net/mod.ts";
import type { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import { OnionClient } from "../../lib/onion/client/onion_client.ts";
import { Guards } from "../../lib/onion/path/guards.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import { answerQuestions, numberOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

/** Each circuit is tried with a name that the exit need not ask anybody for. */
const PROBE = "127.0.0.1";

if (import.meta.main) await main(Deno.args[0]!, Deno.args[1]!);

async function main(controller: string, directory: string): Promise<void> {
  const client = await openClient(controller, `${directory}/consensus`);
  // Connects to the guard, too, which is not part of building a circuit.
  (await client.circuitTo(undefined)).destroy("requested");
  await answerQuestions(
    {},
    (question) => build(client, numberOf(question, "count")),
  );
  await client.close();
}

async function openClient(
  controller: string,
  copy: string,
): Promise<OnionClient> {
  const directory = await Directory.open({
    network: networkOf([parseServerAddress(controller)], 1),
    dial: ({ host, port }, signal) => dial({ hostname: host, port, signal }),
    cache: consensusFile(copy),
    now: Date.now,
  });
  return new OnionClient({
    directory,
    guards: new Guards(),
    keepGuards: () => Promise.resolve(),
    rules: { hops: 3 },
    dial: ({ address: { host, port } }) => dial({ hostname: host, port }),
    random: randomBytes,
    now: () => performance.now(),
    time: Date.now,
  });
}

async function build(client: OnionClient, count: number): Promise<Json> {
  const took: number[] = [];
  const circuits: ClientCircuit[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    circuits.push(await client.circuitTo(undefined));
    took.push(performance.now() - start);
  }
  const alive = await Promise.all(circuits.map(async ({ streams }) => {
    try {
      return (await streams.resolve(PROBE)).length > 0;
    } catch {
      return false;
    }
  }));
  for (const circuit of circuits) circuit.destroy("requested");
  return { took, open: alive.filter((each) => each).length };
}
