import { assert, assertEquals } from "@std/assert";
import { sourceBytes } from "../onion/world.ts";
import { writeAll } from "../../lib/protocol/mod.ts";
import { RelayNetwork } from "../onion/relay_network.ts";
import { CELL, unwrap } from "./naive_cells.ts";
import { NaiveCircuit } from "./naive_circuit.ts";
import {
  END_REASONS,
  readMessage,
  readResolved,
  resolveBytes,
} from "./naive_messages.ts";
import { circuitOf, linkTo, names, settle } from "./naive_network.ts";
import { join, random } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import type { NaiveStream } from "./naive_windows.ts";

/** Both sides of a stream are done. */
async function finish(
  circuit: NaiveCircuit,
  stream: NaiveStream,
): Promise<void> {
  if (!stream.closed) await circuit.finish(stream);
  await circuit.until(() => stream.ended !== undefined);
  assertEquals(END_REASONS[stream.ended!], "done");
}

Deno.test("SPEC.md §12: a client of the text builds a circuit through three of our relays, and what it says comes back past both windows", async () => {
  await using network = await RelayNetwork.start(3, { tcp: true });
  const link = await linkTo(network);
  const circuit = await circuitOf(network, link);
  assertEquals(network.circuits, [1, 1, 1]);
  const stream = await circuit.open(1, "echo", 7);
  assertEquals(network.nodes[2]!.world.dialled, ["echo:7"]);
  const sent = [
    random(1),
    random(circuit.room(1_536)),
    random(40 * circuit.room(65_536)),
    random(100 * circuit.room(1_536)),
  ];
  const sizes = [1_536, 1_536, 65_536, 1_536];
  for (const [i, bytes] of sent.entries()) {
    await circuit.write(stream, bytes, sizes[i]!);
  }
  await finish(circuit, stream);
  assertEquals(stream.length, sent.reduce((sum, each) => sum + each.length, 0));
  assert(join(...stream.received).toHex() === join(...sent).toHex(), "altered");
  const units = 102 * 3 + 40 * 128;
  assertEquals(circuit.sendmes.circuit, Math.floor(units / 512));
  assert(circuit.sendmes.stream >= (units - 2_048) / 256, "SENDME of streams");
  await circuit.destroy();
  await settle(network, [0, 0, 0]);
  assertEquals(
    network.endings.map(({ relay, reason }) => `${relay} ${reason}`).sort(),
    ["0 requested", "1 requested", "2 requested"],
  );
  await link.close();
});

Deno.test("SPEC.md §12.6: what comes past both windows in large cells, until a client of the text breaks it", async () => {
  await using network = await RelayNetwork.start(3, { tcp: true });
  const link = await linkTo(network);
  const circuit = await circuitOf(network, link);
  // An exit that finds much to send puts it into large cells.
  network.nodes[2]!.world.servers.set("source", async (connection) => {
    const block = sourceBytes(0, 251 * 261);
    for (;;) await writeAll(connection, block);
  });
  const stream = await circuit.open(65_535, "source", 1);
  const enough = 45 * circuit.room(65_536);
  await circuit.until(() => stream.length >= enough);
  assert(circuit.cells.get(65_536)! > 32, "few large cells");
  const all = join(...stream.received);
  assert(all.toHex() === sourceBytes(0, all.length).toHex(), "altered");
  await circuit.finish(stream, END_REASONS.indexOf("misc"));
  // The circuit goes on: what was on its way is counted and dropped.
  const other = await circuit.open(2, "echo", 1);
  await circuit.write(other, random(10), 1_536);
  await finish(circuit, other);
  assertEquals(other.length, 10);
  await circuit.destroy();
  await settle(network, [0, 0, 0]);
  await link.close();
});

Deno.test("SPEC.md §12.5: a client of the text resolves names, and is told why something did not work", async () => {
  await using network = await RelayNetwork.start(3, { tcp: true });
  const link = await linkTo(network);
  const circuit = await circuitOf(network, link);
  const found = await circuit.resolve(1, "echo");
  assertEquals(found.answers, ["192.0.2.80", "2001:db8::80"]);
  const lost = await circuit.resolve(1, "nowhere");
  assertEquals(END_REASONS[lost.ended!], "resolve-failed");
  const refused = await circuit.open(1, "nowhere", 80);
  assertEquals(END_REASONS[refused.ended!], "refused");
  await circuit.send("DROP", 0, random(100));
  const stream = await circuit.open(1, "echo", 80);
  await finish(circuit, stream);
  await link.close();
  await settle(network, [0, 0, 0]);
  assertEquals(network.endings[0], { relay: 0, reason: "link-gone" });
});

Deno.test("SPEC.md §12.2: two circuits on a link, and each ends alone", async () => {
  await using network = await RelayNetwork.start(3, { tcp: true });
  const link = await linkTo(network);
  const first = await circuitOf(network, link, 0xffff_ffff);
  await first.open(1, "echo", 1);
  const second = new NaiveCircuit(link, 1);
  await second.extend(names(network)[0]!);
  await second.extend(names(network)[1]!);
  assertEquals(network.circuits, [2, 2, 1]);
  await first.destroy("timeout");
  await settle(network, [1, 1, 0]);
  const stream = await second.open(1, "echo", 1);
  await second.write(stream, random(2_000), 1_536);
  await finish(second, stream);
  assertEquals(network.nodes[1]!.world.dialled, ["echo:1"]);
  await second.destroy();
  await settle(network, [0, 0, 0]);
  await link.close();
});

Deno.test("SPEC.md §12.6: every relay of a circuit has windows of its own", async () => {
  await using network = await RelayNetwork.start(2);
  const link = await linkTo(network);
  const circuit = await circuitOf(network, link);
  const heard = async () => {
    let cell = await link.next();
    while (cell?.command === CELL.padding) cell = await link.next();
    const { position, rest } = unwrap(circuit.hops, cell!.body);
    return { position, ...readMessage(rest) };
  };
  // 384 units to either relay; then 128 more, which are answered by the relay that they reach.
  const tags: Octets[] = [];
  for (const position of [1, 1, 1, 2, 2, 2, 1, 2]) {
    const data = random(9);
    tags.push(await circuit.send("DATA", 5, data, 65_536, position));
  }
  // Both answer when they can, so that either may be the first.
  const answers = [await heard(), await heard()]
    .sort((a, b) => a.position - b.position);
  for (const [i, position] of [1, 2].entries()) {
    const data = tags[5 + position]!;
    assertEquals(answers[i], { position, command: "SENDME", stream: 0, data });
  }
  await circuit.send("RESOLVE", 9, resolveBytes("echo"), 1_536, 1);
  const { position, command, stream, data } = await heard();
  assertEquals([position, command, stream], [1, "RESOLVED", 9]);
  assertEquals(readResolved(data), ["192.0.2.80", "2001:db8::80"]);
  await link.close();
  await settle(network, [0, 0]);
});

Deno.test("SPEC.md §12.6: 512 streams on a circuit, and END for one more", async () => {
  await using network = await RelayNetwork.start(1);
  const link = await linkTo(network);
  const circuit = await circuitOf(network, link);
  const streams = [];
  for (let i = 1; i <= 512; i++) {
    streams.push(await circuit.open(i, "silent", i));
  }
  assert(streams.every(({ connected }) => connected));
  const more = await circuit.open(513, "silent", 1);
  assertEquals(END_REASONS[more.ended!], "resource-limit");
  await circuit.finish(streams[0]!, END_REASONS.indexOf("misc"));
  assert((await circuit.open(514, "silent", 1)).connected);
  await circuit.destroy();
  await link.close();
  await settle(network, [0]);
});
