import { assertEquals } from "@std/assert";
import { HOPS_LIMIT } from "../../lib/onion/cell/cell.ts";
import { capacity, RELAY } from "../../lib/onion/cell/message.ts";
import { LARGE, SMALL } from "../../lib/onion/cell/cell.ts";
import { HopHandshake } from "../../lib/onion/circuit/hop_handshake.ts";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { concat } from "../../lib/protocol/mod.ts";
import { RelayNetwork } from "../onion/relay_network.ts";
import { readExactly, until, within } from "../onion/streams.ts";
import { Random } from "./random.ts";

const RUNS = Number(Deno.env.get("SOTTO_ONION_RUNS") ?? 60);
/** Set it to the seed of a failure to see that again. */
const SEED = Number(
  Deno.env.get("SOTTO_FUZZ_SEED") ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);
/** No relay answers with it. */
const NO_ANSWER = 251;
const COMMANDS = Object.values(RELAY);

/** Data that are almost what a relay expects of a command. */
async function data(network: RelayNetwork, random: Random): Promise<Bytes> {
  switch (random.below(5)) {
    case 0: {
      const [target] = network.path(random.below(network.nodes.length));
      const position = random.below(HOPS_LIMIT + 2);
      const { request } = await HopHandshake.begin(target!, position);
      const whole = concat(target!.fingerprint, request);
      if (random.once(3)) whole[random.below(whole.length)]! ^= 1;
      return random.once(3)
        ? whole.slice(0, random.below(whole.length))
        : whole;
    }
    case 1:
      return Uint8Array.of(0, 80, 4, ...new TextEncoder().encode("echo"));
    case 2:
      return random.bytes(random.below(capacity(LARGE, HOPS_LIMIT)));
    default:
      return random.bytes(random.length(capacity(SMALL, HOPS_LIMIT)));
  }
}

async function run(network: RelayNetwork, random: Random): Promise<void> {
  const link = await network.link();
  const path = network.path(0, 1, 2).slice(0, 1 + random.below(3));
  const circuit = await ClientCircuit.build(link, path);
  const asked: Promise<unknown>[] = [];
  for (let i = 1 + random.below(8); i > 0; i--) {
    const command = random.once(4) ? random.below(256) : random.pick(COMMANDS);
    const sent = circuit.ask(command, await data(network, random), NO_ANSWER);
    asked.push(sent.catch(() => {/* the circuit is gone */}));
  }
  // An orderly message behind it: either it is answered, or the circuit is gone.
  await within(
    20_000,
    "an answer, or the end",
    circuit.streams.resolve("echo").catch(() => {}),
  );
  circuit.destroy("requested");
  // The last that was asked is the one that is still waited for.
  await asked.at(-1);
  link.abort();
  await until(
    () => network.circuits.slice(0, 3).every((each) => each === 1),
    "all end",
  );
  network.forgetOldWires();
}

Deno.test("S2.2: whatever a client says to the end of its circuit, that circuit is all that it can destroy", async () => {
  await using network = await RelayNetwork.start(4);
  const honest = await network.circuit(4);
  const stream = await honest.streams.open({ host: "echo", port: 1 });
  for (let i = 0; i < RUNS; i++) {
    const seed = SEED + i;
    try {
      await run(network, new Random(seed));
    } catch (cause) {
      throw new Error(`SOTTO_FUZZ_SEED=${seed} fails`, { cause });
    }
  }
  await stream.write(Uint8Array.of(5));
  assertEquals(await readExactly(stream, 1), Uint8Array.of(5));
  assertEquals(honest.failure, undefined);
});
