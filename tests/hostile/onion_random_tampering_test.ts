import { assert, assertEquals } from "@std/assert";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { writeAll } from "../../lib/protocol/mod.ts";
import { RelayNetwork } from "../onion/relay_network.ts";
import { pause, readUntilFailure, until, within } from "../onion/streams.ts";
import type { WireEdit } from "../onion/wire_tap.ts";
import { Random } from "./random.ts";

const RUNS = Number(Deno.env.get("SOTTO_ONION_RUNS") ?? 40);
/** Set it to the seed of a failure to see that again. */
const SEED = Number(
  Deno.env.get("SOTTO_FUZZ_SEED") ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);
const HOPS = 3;

/** What somebody does to one record among those that pass. */
function meddling(random: Random): WireEdit {
  let countdown = random.below(12);
  const kind = random.below(6);
  let held: Bytes | undefined;
  return ({ bytes }) => {
    if (held !== undefined) {
      const late = held;
      held = undefined;
      return [bytes, late];
    }
    if (countdown-- !== 0) return [bytes];
    switch (kind) {
      case 0:
        bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
        return [bytes];
      case 1:
        return [];
      case 2:
        return [bytes, bytes];
      case 3:
        held = bytes;
        return [];
      case 4:
        return [bytes.slice(0, random.below(bytes.length)), bytes];
      default:
        return [random.bytes(1 + random.below(64)), bytes];
    }
  };
}

/** Whether `got` is how `sent` begins. */
function isFrontOf(got: Bytes, sent: Bytes): boolean {
  return got.length <= sent.length &&
    got.every((byte, i) => byte === sent[i]);
}

async function run(network: RelayNetwork, random: Random): Promise<void> {
  const link = await network.link();
  const circuit = await ClientCircuit.build(link, network.path(0, 1, 2));
  const client = await circuit.streams.open({ host: "silent", port: 1 });
  const server = network.nodes[HOPS - 1]!.world.connections.at(-1)!;
  const at = random.below(HOPS);
  const wire = network.wire(at - 1, at);
  const passage = random.once(2) ? wire.rightward : wire.leftward;
  passage.edit = meddling(random);
  const [up, down] = [random.bytes(150_000), random.bytes(150_000)];
  const sending = [[client, up], [server, down]] as const;
  const written = sending.map(async ([end, data]) => {
    for (let from = 0; from < data.length;) {
      const length = 1 + random.below(30_000);
      await writeAll(end, data.subarray(from, from + length));
      from += length;
      await pause(0);
    }
    await end.closeWrite();
  }).map((each) => each.catch(() => {/* the circuit is gone */}));
  const both = Promise.all([
    readUntilFailure(server),
    readUntilFailure(client),
  ]);
  // Something that is held and has nothing behind it is noticed when the connection ends.
  const late = setTimeout(() => wire.cut(), 1_500);
  const [above, below] = await within(20_000, "the end", both);
  clearTimeout(late);
  await Promise.all(written);
  assert(isFrontOf(above.bytes, up), "other bytes have come to the server");
  assert(isFrontOf(below.bytes, down), "other bytes have come to the client");
  if (below.error === undefined) assertEquals(below.bytes.length, down.length);
  passage.edit = undefined;
  link.abort();
  await until(() => network.circuits.every((each) => each === 0), "all end");
  network.forgetOldWires();
}

Deno.test("S4.6: whatever is done to one record anywhere, what arrives is a front of what was sent, and the network recovers", async () => {
  await using network = await RelayNetwork.start(HOPS);
  for (let i = 0; i < RUNS; i++) {
    const seed = SEED + i;
    try {
      await run(network, new Random(seed));
    } catch (cause) {
      throw new Error(`SOTTO_FUZZ_SEED=${seed} fails`, { cause });
    }
  }
});
