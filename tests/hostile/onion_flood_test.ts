import { assert, assertEquals } from "@std/assert";
import { BODY_BYTES, CELL, SMALL } from "../../lib/onion/cell/cell.ts";
import {
  handshakeBody,
  HopHandshake,
} from "../../lib/onion/circuit/hop_handshake.ts";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import { RawLink } from "../onion/raw_link.ts";
import { CLIENT, RelayNetwork } from "../onion/relay_network.ts";
import { pause, readExactly, until, within } from "../onion/streams.ts";
import { memoryInUse } from "./memory.ts";

const FLOOD = Number(Deno.env.get("SOTTO_ONION_FLOOD") ?? 2_000);
const ATTACKER = "203.0.113.66";
const NOTHING: Bytes = new Uint8Array(0);

/** Whether somebody else can still use the network. */
async function works(network: RelayNetwork): Promise<void> {
  const circuit = await network.circuit(network.nodes.length);
  const stream = await circuit.streams.open({ host: "echo", port: 1 });
  await stream.write(Uint8Array.of(1, 2, 3));
  await within(20_000, "an echo", readExactly(stream, 3));
  circuit.destroy("requested");
}

Deno.test("S4.5: CREATEs beyond the rate of an address are refused, others are served, memory is flat", async () => {
  await using network = await RelayNetwork.start(2, {
    limits: { creates: { perSecond: 1, burst: 20 } },
  });
  const { relay } = network.nodes[0]!;
  const flood = async (count: number) => {
    await using attacker = new RawLink(await network.channel(0, ATTACKER));
    const [target] = network.path(0);
    const { request } = await HopHandshake.begin(target!, 1);
    const served = works(network);
    for (let i = 1; i <= count; i++) {
      attacker.send(i, CELL.CREATE, SMALL, handshakeBody(request));
      if (i % 100 === 0) await until(() => attacker.queued === 0, "sent");
    }
    await until(() => attacker.cells.length === count, "all are answered");
    await served;
    // A token comes back every second.
    const made = attacker.of(CELL.CREATED).length;
    assert(made <= 40, `${made} circuits were made`);
    assertEquals(
      attacker.reasons,
      Array(count - made).fill("resource-limit"),
    );
    assertEquals(relay.status.circuits <= made + 1, true);
  };
  await flood(FLOOD);
  await until(() => relay.status.circuits === 0, "its circuits end with it");
  const before = memoryInUse();
  await flood(FLOOD);
  const more = memoryInUse().live - before.live;
  assert(more < 4_000_000, `${more} bytes more are live`);
});

Deno.test("S4.5: no more circuits than a relay takes on, and room again when some end", async () => {
  await using network = await RelayNetwork.start(1, {
    limits: { circuits: 5 },
  });
  await using attacker = new RawLink(await network.channel(0, ATTACKER));
  const { request } = await HopHandshake.begin(network.path(0)[0]!, 1);
  for (let i = 1; i <= 5; i++) {
    attacker.send(i, CELL.CREATE, SMALL, handshakeBody(request));
    await until(() => attacker.cells.length === i, "it is answered");
  }
  attacker.send(6, CELL.CREATE, SMALL, handshakeBody(request));
  await until(() => attacker.cells.length === 6, "it is answered");
  assertEquals(attacker.reasons, ["too-many-circuits"]);
  attacker.send(1, CELL.DESTROY, SMALL, NOTHING);
  await until(() => network.circuits[0] === 4, "one ends");
  attacker.send(6, CELL.CREATE, SMALL, handshakeBody(request));
  await until(() => attacker.of(CELL.CREATED).length === 6, "there is room");
});

Deno.test("S4.4: a CREATE that is sent again makes a circuit of its own, whose keys the sender does not know", async () => {
  await using network = await RelayNetwork.start(2);
  // Somebody on the way keeps everything that a client sends to its guard.
  const kept: Bytes[] = [];
  const channel = network.connect.bind(network);
  network.connect = async (from, to, hostname) => {
    const stream = await channel(from, to, hostname);
    if (from === CLIENT && kept.length === 0) {
      network.wires.at(-1)!.rightward.watch = ({ size, body }) => {
        if (size === SMALL) kept.push(body.slice());
      };
    }
    return stream;
  };
  const circuit = await network.circuit(2);
  const stream = await circuit.streams.open({ host: "echo", port: 1 });
  const [create, ...relayed] = kept.splice(0);
  assert(create !== undefined && relayed.length >= 2);
  const { world } = network.nodes[1]!;
  assertEquals(world.dialled.length, 1);

  await using attacker = new RawLink(await network.channel(0, ATTACKER));
  attacker.send(77, CELL.CREATE, SMALL, create);
  await until(() => attacker.cells.length === 1, "it is answered");
  assertEquals(attacker.cells[0]!.command, CELL.CREATED);
  assertEquals(network.circuits, [2, 1]);
  for (const body of relayed) attacker.send(77, CELL.RELAY, SMALL, body);
  await until(() => attacker.cells.length === 2, "it is destroyed");
  assertEquals(attacker.reasons, ["protocol"]);
  assertEquals(network.circuits, [1, 1]);
  // Nothing of what was sent again has had an effect, and the circuit goes on.
  assertEquals(world.dialled.length, 1);
  await stream.write(Uint8Array.of(9));
  assertEquals(await readExactly(stream, 1), Uint8Array.of(9));
});

Deno.test("cells of circuits that nobody has are forgotten: no answer, no memory, and the link goes on", async () => {
  await using network = await RelayNetwork.start(1);
  const flood = async (attacker: RawLink, count: number) => {
    for (let i = 1; i <= count; i++) {
      const command = i % 5 === 0 ? CELL.DESTROY : CELL.RELAY;
      attacker.send(1_000 + i, command, SMALL, NOTHING);
      if (i % 100 === 0) await until(() => attacker.queued === 0, "sent");
    }
  };
  await using attacker = new RawLink(await network.channel(0, ATTACKER));
  await flood(attacker, FLOOD);
  const before = memoryInUse();
  await flood(attacker, 2 * FLOOD);
  const more = memoryInUse().live - before.live;
  assert(more < 4_000_000, `${more} bytes more are live`);
  const { request } = await HopHandshake.begin(network.path(0)[0]!, 1);
  attacker.send(1, CELL.CREATE, SMALL, handshakeBody(request));
  await until(() => attacker.cells.length > 0, "it is answered");
  assertEquals(attacker.cells.length, 1);
  assertEquals(attacker.cells[0]!.command, CELL.CREATED);
  assertEquals(attacker.cells[0]!.body.length, BODY_BYTES[SMALL]);
});

Deno.test("a CREATE under a number that is taken ends the link, and only that", async () => {
  await using network = await RelayNetwork.start(2);
  const circuit = await network.circuit(2);
  await using attacker = new RawLink(await network.channel(0, ATTACKER));
  const { request } = await HopHandshake.begin(network.path(0)[0]!, 1);
  for (let i = 0; i < 2; i++) {
    attacker.send(5, CELL.CREATE, SMALL, handshakeBody(request));
  }
  await within(20_000, "the end", attacker.ended);
  await until(() => network.circuits[0] === 1, "its circuit is gone");
  assertEquals(circuit.failure, undefined);
});

Deno.test("what comes for a circuit before it stands, and noise on one that stands, destroys it", async () => {
  await using network = await RelayNetwork.start(1);
  await using attacker = new RawLink(await network.channel(0, ATTACKER));
  const { request } = await HopHandshake.begin(network.path(0)[0]!, 1);
  attacker.send(1, CELL.CREATE, SMALL, handshakeBody(request));
  attacker.send(1, CELL.RELAY, SMALL, randomBytes(BODY_BYTES[SMALL]));
  await until(() => attacker.cells.length > 0, "it is answered");
  assertEquals(attacker.reasons, ["protocol"]);
  for (const command of [CELL.RELAY, CELL.CREATED]) {
    attacker.cells.length = 0;
    attacker.send(2, CELL.CREATE, SMALL, handshakeBody(request));
    await until(() => attacker.cells.length === 1, "it stands");
    attacker.send(2, command, SMALL, randomBytes(BODY_BYTES[SMALL]));
    await until(() => attacker.cells.length === 2, "it is destroyed");
    assertEquals(attacker.reasons, ["protocol"]);
  }
  // A body that is no handshake.
  attacker.cells.length = 0;
  const [target] = network.path(0);
  attacker.send(3, CELL.CREATE, SMALL, randomBytes(BODY_BYTES[SMALL]));
  attacker.send(4, CELL.CREATE, SMALL, target!.onionKey.slice());
  await until(() => attacker.cells.length === 2, "both are answered");
  assertEquals(attacker.reasons.toSorted(), ["protocol", "wrong-onion-key"]);
  await pause(1);
  assertEquals(network.circuits, [0]);
  await ClientCircuit.build(await network.link(), network.path(0));
});
