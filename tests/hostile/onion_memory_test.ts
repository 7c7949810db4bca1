import { assert, assertEquals } from "@std/assert";
import { BODY_BYTES, LARGE, UNIT_BYTES } from "../../lib/onion/cell/cell.ts";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import type { CircuitLink } from "../../lib/onion/link/circuit_link.ts";
import type { OnionStream } from "../../lib/onion/stream/opener.ts";
import {
  CIRCUIT_WINDOW,
  STREAM_WINDOW,
} from "../../lib/onion/stream/window.ts";
import { CLIENT, RelayNetwork } from "../onion/relay_network.ts";
import { drain, Sniper } from "../onion/sniper.ts";
import { pause, readExactly, until } from "../onion/streams.ts";

/** What one circuit can have under way in one direction, in bytes of cells. */
const WINDOW = CIRCUIT_WINDOW * UNIT_BYTES;
/** Room for one and a half of them. */
const LIMIT = WINDOW * 3 / 2;

/** Somebody who wants nothing but to load: whether it can. */
async function honest(network: RelayNetwork): Promise<() => Promise<void>> {
  const circuit = await network.circuit(3);
  const stream = await circuit.streams.open({ host: "source", port: 1 });
  return async () => {
    await readExactly(stream, WINDOW);
    assertEquals(circuit.failure, undefined);
  };
}

async function open(
  link: CircuitLink,
  network: RelayNetwork,
  host: string,
): Promise<{ circuit: ClientCircuit; stream: OnionStream }> {
  const circuit = await ClientCircuit.build(link, network.path(0, 1, 2));
  const stream = await circuit.streams.open({ host, port: 1 });
  return { circuit, stream };
}

/** The most that waits at a relay, looked at all the time. */
function watchQueue(network: RelayNetwork, relay: number) {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, network.nodes[relay]!.relay.status.queued);
  }, 1);
  return {
    get most() {
      return most;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

Deno.test("S4.5: somebody who stops reading the link loses circuits, oldest first; the relay's memory stays, others load on", async () => {
  await using network = await RelayNetwork.start(3, {
    limits: { memory: LIMIT },
  });
  using sniper = await Sniper.at(network);
  const load = await honest(network);
  using queue = watchQueue(network, 0);
  for (let i = 0; i < 6; i++) {
    const { stream } = await open(sniper.link, network, "source");
    drain(stream);
  }
  sniper.stall();
  await until(
    () => network.nodes[0]!.relay.status.queued > LIMIT / 2,
    "cells wait",
  );
  await until(
    () => network.endings.some(({ reason }) => reason === "resource-limit"),
    "a circuit is destroyed for it",
  );
  await load();
  assert(queue.most <= LIMIT + BODY_BYTES[LARGE], `${queue.most} bytes wait`);
  // Whoever was destroyed was the sniper's; the honest circuit is the one that is left for sure.
  for (const { relay, reason } of network.endings) {
    if (relay === 0) assertEquals(reason, "resource-limit");
  }
});

Deno.test("S4.5: one stalled reader of a link is bounded by the window of the circuit, long before any limit", async () => {
  await using network = await RelayNetwork.start(3);
  using sniper = await Sniper.at(network);
  using queue = watchQueue(network, 0);
  const { stream } = await open(sniper.link, network, "source");
  drain(stream);
  sniper.stall();
  await until(
    () => network.nodes[0]!.relay.status.queued > WINDOW / 4,
    "cells wait",
  );
  await pause(100);
  assert(queue.most <= WINDOW, `${queue.most} bytes wait`);
  assertEquals(network.endings, []);
  assertEquals(network.nodes[1]!.relay.status.queued, 0);
  assertEquals(network.nodes[2]!.relay.status.queued, 0);
});

Deno.test("S4.5: a client that reads the link but not its streams costs the relays nothing", async () => {
  await using network = await RelayNetwork.start(3);
  const load = await honest(network);
  const link = await network.link();
  const { circuit } = await open(link, network, "source");
  for (let i = 0; i < 5; i++) {
    await circuit.streams.open({ host: "source", port: 1 });
  }
  await load();
  for (const { relay } of network.nodes) {
    await until(() => relay.status.queued === 0, "nothing waits");
  }
  // Each stream has what its window holds, and nothing beyond comes.
  await pause(20);
  const sent = network.wire(CLIENT, 0).leftward.bytes;
  const most = 6 * STREAM_WINDOW * UNIT_BYTES + WINDOW / 4;
  assert(sent < most, `${sent} bytes have come`);
});

Deno.test("S4.5: destinations that take nothing cost the exit no more than its limit; others send on", async () => {
  await using network = await RelayNetwork.start(3, {
    limits: { memory: LIMIT },
  });
  const { relay, world } = network.nodes[2]!;
  using queue = watchQueue(network, 2);
  const honestCircuit = await network.circuit(3);
  const swallow = await honestCircuit.streams.open({
    host: "swallow",
    port: 1,
  });
  const link = await network.link(0, "203.0.113.66");
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < 6; i++) {
    const { circuit, stream } = await open(link, network, "silent");
    const another = await circuit.streams.open({ host: "silent", port: 1 });
    for (const each of [stream, another]) {
      writes.push(each.write(new Uint8Array(2 * WINDOW)).catch(() => {}));
    }
    await until(
      () => relay.status.queued > LIMIT / 3,
      "the exit holds data",
    );
  }
  await until(
    () =>
      network.endings.some(({ relay, reason }) =>
        relay === 2 && reason === "resource-limit"
      ),
    "a circuit is destroyed for it",
  );
  await swallow.write(new Uint8Array(WINDOW));
  await until(() => world.received === WINDOW, "all of it arrives");
  assertEquals(honestCircuit.failure, undefined);
  assert(queue.most <= LIMIT + BODY_BYTES[LARGE], `${queue.most} bytes`);
  // What is destroyed is given back.
  link.abort();
  await until(() => relay.status.queued === 0, "nothing is held");
  await Promise.all(writes);
});

Deno.test("S4.6: 200 circuits over one link, and 512 streams on one of them", async () => {
  await using network = await RelayNetwork.start(3);
  const link = await network.link();
  const path = network.path(0, 1, 2);
  const circuits: ClientCircuit[] = [];
  for (let i = 0; i < 10; i++) {
    circuits.push(
      ...await Promise.all(
        Array.from({ length: 20 }, () => ClientCircuit.build(link, path)),
      ),
    );
  }
  assertEquals(network.circuits, [200, 200, 200]);
  await Promise.all(circuits.map(async ({ streams }, i) => {
    const stream = await streams.open({ host: "echo", port: 1 });
    const sent = new Uint8Array(2_000).fill(i);
    await stream.write(sent);
    assertEquals(await readExactly(stream, sent.length), sent);
    await stream.closeWrite();
  }));
  const { streams } = circuits[0]!;
  const open = await Promise.all(
    Array.from(
      { length: 512 - streams.size },
      () => streams.open({ host: "echo", port: 1 }),
    ),
  );
  await Promise.all(open.map(async (stream, i) => {
    const sent = new Uint8Array(100).fill(i);
    await stream.write(sent);
    assertEquals(await readExactly(stream, sent.length), sent);
  }));
  for (const circuit of circuits) circuit.destroy("requested");
  await until(() => network.circuits.every((each) => each === 0), "all end");
  for (const { relay } of network.nodes) {
    await until(() => relay.status.queued === 0, "nothing waits");
  }
});
