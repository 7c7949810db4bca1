import { assert, assertEquals } from "@std/assert";
import { CircuitError } from "../../lib/onion/client/circuit_error.ts";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import { StreamError } from "../../lib/onion/stream/stream_error.ts";
import { RelayNetwork } from "../onion/relay_network.ts";
import { pause, readUntilFailure, until, within } from "../onion/streams.ts";
import { sourceBytes } from "../onion/world.ts";
import { Random } from "./random.ts";

const RUNS = Number(Deno.env.get("SOTTO_ONION_RUNS") ?? 2);
/** Set it to the seed of a failure to see that again. */
const SEED = Number(
  Deno.env.get("SOTTO_FUZZ_SEED") ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);
const RELAYS = 5;
/** Bytes that a transfer wants. */
const WANTED = 600_000;

/** Loads what there is of it, over as many circuits as it takes; how many that were. */
async function transfer(
  network: RelayNetwork,
  random: Random,
): Promise<number> {
  const link = await network.link(0);
  let have = 0;
  for (let attempts = 1;; attempts++) {
    const path = network.path(0, ...pick(random));
    try {
      const { streams } = await within(
        20_000,
        "a circuit, or an error",
        ClientCircuit.build(link, path),
      );
      const stream = await within(
        20_000,
        "a stream, or an error",
        streams.open({ host: "numbers", port: 1 }),
      );
      await stream.write(new TextEncoder().encode(`${have}\n`));
      const { bytes, error } = await within(
        20_000,
        "an end, or an error",
        readUntilFailure(stream),
      );
      const expected = sourceBytes(have, bytes.length);
      assert(bytes.every((byte, i) => byte === expected[i]), "other bytes");
      have += bytes.length;
      if (error === undefined) {
        assertEquals(have, WANTED);
        link.abort();
        return attempts;
      }
      assert(error instanceof StreamError, `${error}`);
      assertEquals(error.reason, "circuit-gone");
    } catch (error) {
      const isUsual = error instanceof StreamError ||
        error instanceof CircuitError;
      if (!isUsual || link.ended || attempts > 60) throw error;
    }
  }
}

/** Two of the relays behind the first. */
function pick(random: Random): [number, number] {
  const first = 1 + random.below(RELAYS - 1);
  const second = 1 + random.below(RELAYS - 2);
  return [first, second >= first ? second + 1 : second];
}

Deno.test("S4.6: links between relays are cut at random under load: transfers go on over other circuits, byte for byte", async () => {
  for (let i = 0; i < RUNS; i++) {
    const random = new Random(SEED + i);
    await using network = await RelayNetwork.start(RELAYS);
    for (const { world } of network.nodes) {
      world.servers.set("numbers", async (connection) => {
        const buffer = new Uint8Array(16);
        const count = await connection.read(buffer);
        const from = parseInt(
          new TextDecoder().decode(buffer.subarray(0, count ?? 0)),
        );
        for (let at = from; at < WANTED;) {
          const block = sourceBytes(at, Math.min(20_000, WANTED - at));
          at += await connection.write(block);
          await pause(1);
        }
        await connection.closeWrite();
      });
    }
    let isOver = false;
    const killing = (async () => {
      for (let kills = 0; !isOver && kills < 40; kills++) {
        await pause(5 + random.below(20));
        const between = network.wires.filter(({ from }) => from >= 0);
        if (between.length > 0) random.pick(between).cut();
      }
    })();
    const transfers = Array.from(
      { length: 4 },
      () => transfer(network, random),
    );
    try {
      const attempts = await Promise.all(transfers);
      assert(attempts.some((each) => each > 1), "nothing was ever cut");
    } catch (cause) {
      throw new Error(`SOTTO_FUZZ_SEED=${SEED + i} fails`, { cause });
    } finally {
      isOver = true;
      await killing;
    }
    await until(() => network.circuits.every((each) => each === 0), "all end");
  }
});
