import { assertEquals } from "@std/assert";
import { RelayNetwork } from "../onion/relay_network.ts";
import { CELL, headerOf, layerLength, noisy, wrap } from "./naive_cells.ts";
import { NaiveCircuit } from "./naive_circuit.ts";
import type { NaiveRelayName } from "./naive_circuit.ts";
import type { NaiveLink } from "./naive_link.ts";
import {
  beginBytes,
  createBytes,
  END_REASONS,
  messageBytes,
} from "./naive_messages.ts";
import { circuitOf, linkTo, names, settle } from "./naive_network.ts";
import { join, random, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

const NOTHING: Octets = new Uint8Array(0);
const NOISE = random(1_536);

/** Does something on a circuit of two relays; `network` has both. */
type Act = (circuit: NaiveCircuit, network: RelayNetwork) => Promise<unknown>;

/** The rest of the layer of the second relay in a small cell: a message of any kind. */
function rest(command: number, stream: number, length: number): Octets {
  const head = join(
    unsigned(1, command),
    unsigned(2, stream),
    unsigned(2, length),
  );
  return join(head, new Uint8Array(layerLength(1_536, 3) - head.length));
}

/** EXTEND to a relay, with a handshake that is none. */
function extend({ fingerprint, onionKey }: NaiveRelayName): Octets {
  return join(fingerprint, createBytes(onionKey, random(1_249)));
}

const DESTROYING: readonly (readonly [string, string, Act])[] = [
  ["a cell of noise", "protocol", (c) => c.cell(CELL.relay, NOISE)],
  [
    "a large cell of noise",
    "protocol",
    (c) => c.cell(CELL.relay, random(65_536)),
  ],
  ["a cell twice", "protocol", async (c) => {
    const message = messageBytes(
      { command: "DROP", stream: 0, data: NOTHING },
      layerLength(1_536, 3),
    );
    const { body } = wrap(c.hops, 2, message);
    await c.cell(CELL.relay, body);
    await c.cell(CELL.relay, body);
  }],
  ["a cell that is lost", "protocol", async (c) => {
    wrap(c.hops, 2, rest(9, 0, 0));
    await c.send("DROP", 0, NOTHING);
  }],
  ["CREATED", "protocol", (c) => c.cell(CELL.created, NOISE)],
  ["a layer for nobody", "protocol", async (c) => {
    const plaintext = join(unsigned(1, 2), rest(9, 0, 0));
    const inner = c.hops[1]!.forward.seal(plaintext);
    const outer = c.hops[0]!.forward.seal(join(unsigned(1, 0), inner));
    await c.cell(CELL.relay, outer);
  }],
  ["a layer for a relay that is not there", "protocol", async (c) => {
    const plaintext = join(unsigned(1, 0), rest(9, 0, 0));
    const inner = c.hops[1]!.forward.seal(plaintext);
    const outer = c.hops[0]!.forward.seal(join(unsigned(1, 0), inner));
    await c.cell(CELL.relay, outer);
  }],
  ["an unknown command", "protocol", (c) => c.sendRest(rest(200, 0, 0))],
  ["EXTENDED", "protocol", (c) => c.send("EXTENDED", 0, random(1_154))],
  [
    "a length one beyond the end",
    "protocol",
    (c) => c.sendRest(rest(9, 0, layerLength(1_536, 3) - 4)),
  ],
  ["BEGIN for an open stream", "protocol", async (c) => {
    await c.open(1, "silent", 1);
    await c.send("BEGIN", 1, beginBytes("echo", 1));
  }],
  [
    "BEGIN for no stream",
    "protocol",
    (c) => c.send("BEGIN", 0, beginBytes("echo", 1)),
  ],
  [
    "BEGIN for port 0",
    "protocol",
    (c) => c.send("BEGIN", 1, beginBytes("echo", 0)),
  ],
  [
    "BEGIN with a space",
    "protocol",
    (c) => c.send("BEGIN", 1, beginBytes("an echo", 1)),
  ],
  [
    "BEGIN with a name of 254 bytes",
    "protocol",
    (c) => c.send("BEGIN", 1, beginBytes("a".repeat(254), 1)),
  ],
  [
    "BEGIN and a byte",
    "protocol",
    (c) => c.send("BEGIN", 1, join(beginBytes("echo", 1), unsigned(1, 0))),
  ],
  ["RESOLVE of nothing", "protocol", (c) => c.send("RESOLVE", 1, NOTHING)],
  ["END without a reason", "protocol", (c) => c.send("END", 1, NOTHING)],
  [
    "SENDME that answers nothing",
    "protocol",
    (c) => c.send("SENDME", 0, random(16)),
  ],
  ["SENDME of a stream that answers nothing", "protocol", async (c) => {
    await c.open(1, "silent", 1);
    await c.send("SENDME", 1, NOTHING);
  }],
  ["DATA behind END", "protocol", async (c) => {
    const stream = await c.open(1, "silent", 1);
    await c.finish(stream);
    await c.force(stream, random(1), 1_536);
  }],
  ["DATA beyond the window of a stream", "protocol", async (c) => {
    const stream = await c.open(1, "silent", 1);
    // The exit writes two cells to the destination, or begins to.
    await c.write(stream, random(18 * c.room(65_536)), 65_536);
    assertEquals(stream.window, 0);
    assertEquals((await c.resolve(2, "echo")).answers?.length, 2);
    await c.force(stream, random(1), 1_536);
  }],
  ["EXTEND to a relay that has a next one", "protocol", (c, network) => {
    const data = extend(names(network)[1]!);
    return c.send("EXTEND", 0, data, 1_536, 1);
  }],
  [
    "EXTEND that is cut short",
    "protocol",
    (c) => c.send("EXTEND", 0, random(31)),
  ],
  ["an unknown relay", "unknown-relay", (c, network) => {
    const { onionKey } = names(network)[0]!;
    return c.send("EXTEND", 0, extend({ onionKey, fingerprint: random(32) }));
  }],
  [
    "the relay itself",
    "unknown-relay",
    (c, network) => c.send("EXTEND", 0, extend(names(network)[1]!)),
  ],
  ["another onion key", "wrong-onion-key", (c, network) => {
    const { fingerprint } = names(network)[0]!;
    return c.send("EXTEND", 0, extend({ fingerprint, onionKey: random(32) }));
  }],
  [
    "noise for a handshake",
    "protocol",
    (c, network) => c.send("EXTEND", 0, extend(names(network)[0]!)),
  ],
  ["DESTROY", "timeout", (c) => c.cell(CELL.destroy, NOISE, 10)],
  [
    "DESTROY for an unknown reason",
    "internal",
    (c) => c.cell(CELL.destroy, NOISE, 999),
  ],
];

Deno.test("SPEC.md §12: what destroys a circuit according to the text destroys it at our relays, with that reason", async () => {
  await using network = await RelayNetwork.start(2);
  for (const [name, reason, act] of DESTROYING) {
    const link = await linkTo(network);
    const circuit = await circuitOf(network, link);
    await act(circuit, network);
    assertEquals(await circuit.end(), reason, name);
    await settle(network, [0, 0]);
    // The link goes on.
    await circuitOf(network, link, 2);
    await link.close();
    await settle(network, [0, 0]);
  }
});

const HARMLESS: readonly (readonly [string, Act])[] = [
  ["DROP", (c) => c.send("DROP", 0, random(1_000))],
  ["DROP to the first relay", (c) => c.send("DROP", 0, NOTHING, 1_536, 1)],
  ["a large DROP", (c) => c.send("DROP", 0, random(60_000), 65_536)],
  [
    "bytes behind a message",
    (c) => c.sendRest(rest(9, 0, 0).map((byte, i) => i < 5 ? byte : 7)),
  ],
  ["CONNECTED", (c) => c.send("CONNECTED", 1, random(3))],
  ["RESOLVED", (c) => c.send("RESOLVED", 1, random(3))],
  ["END of no stream", (c) => c.send("END", 9, unsigned(1, 3))],
  ["SENDME of no stream", (c) => c.send("SENDME", 9, NOTHING)],
  ["END for an unknown reason", async (c) => {
    const stream = await c.open(1, "silent", 1);
    await c.finish(stream, 200);
  }],
  ["DATA of no stream, which is counted", async (c) => {
    const stream = await c.open(2, "echo", 1);
    await c.finish(stream);
    await c.until(() => stream.ended !== undefined);
    await c.write(stream, random(12 * c.room(65_536)), 65_536);
    await c.until(() => c.sendmes.circuit === 3);
    assertEquals(c.sendmes.stream, 0);
  }],
  ["a cell with a detail", async (c) => {
    const message = rest(9, 0, 0);
    await c.cell(CELL.relay, wrap(c.hops, 2, message).body, 77);
  }],
  ["a name that is not known, and a port that nobody has", async (c) => {
    const stream = await c.open(3, "nowhere", 65_535);
    assertEquals(END_REASONS[stream.ended!], "refused");
  }],
];

Deno.test("SPEC.md §12: what means nothing according to the text means nothing to our relays", async () => {
  await using network = await RelayNetwork.start(2);
  const link = await linkTo(network);
  const circuit = await circuitOf(network, link);
  for (const [name, act] of HARMLESS) {
    await act(circuit, network);
    const { answers } = await circuit.resolve(77, "echo");
    assertEquals(answers?.length, 2, name);
  }
  await circuit.destroy();
  await link.close();
});

/** Sends something on a link on which circuit 1 stands. */
type Say = (link: NaiveLink) => Promise<void>;

const cell = (circuit: number, command: number, length = 1_536) => ({
  circuit,
  command,
  detail: 0,
  body: random(length),
});
const header = (hex: string) => Uint8Array.fromHex(hex);

const ENDING: readonly (readonly [string, Say])[] = [
  ["an unknown command", (l) => l.sendRaw(header("0000000105000000"), NOISE)],
  ["an unknown size", (l) => l.sendRaw(header("0000000103020000"), NOISE)],
  ["no circuit", (l) => l.send(cell(0, CELL.relay))],
  ["PADDING of a circuit", (l) => l.send(cell(1, CELL.padding))],
  ["7 bytes", (l) => l.sendRaw(header("00000001030000"), NOISE)],
  ["9 bytes", (l) => l.sendRaw(header("000000010300000000"), NOISE)],
  [
    "65 headers",
    (l) => l.send(...Array.from({ length: 65 }, () => cell(0, CELL.padding))),
  ],
  [
    "a body that is too long",
    (l) => l.sendRaw(headerOf(cell(0, CELL.padding)), random(1_537)),
  ],
  [
    "headers where a body is due",
    (l) =>
      l.sendRaw(headerOf(cell(0, CELL.padding)))
        .then(() => l.send(cell(0, CELL.padding))),
  ],
  ["a body that nothing announces", async (l) => {
    await l.sendRaw(headerOf(cell(0, CELL.padding)), NOISE, NOISE);
  }],
  ["CREATE for a number that is taken", (l) => l.send(cell(1, CELL.create))],
];

Deno.test("SPEC.md §12.2: what ends a link according to the text ends it at our relay", async () => {
  await using network = await RelayNetwork.start(1);
  for (const [name, say] of ENDING) {
    const link = await linkTo(network);
    await circuitOf(network, link);
    await hungUp(link, say, name);
    link.drop();
    await settle(network, [0]);
  }
});

/** Says something and waits until there is no link any more; nothing but PADDING comes before. */
async function hungUp(link: NaiveLink, say: Say, name: string): Promise<void> {
  try {
    await say(link);
    for (;;) {
      const came = await link.next();
      if (came === undefined) return;
      assertEquals(came.command, CELL.padding, name);
    }
  } catch (error) {
    const { ConnectionReset, BrokenPipe } = Deno.errors;
    if (error instanceof ConnectionReset || error instanceof BrokenPipe) return;
    throw error;
  }
}

Deno.test("SPEC.md §12.2: cells of circuits that nobody knows, PADDING and 64 headers at once mean nothing", async () => {
  await using network = await RelayNetwork.start(1);
  const link = await linkTo(network);
  await link.send(
    cell(7, CELL.relay),
    cell(8, CELL.destroy),
    cell(9, CELL.created),
    cell(0, CELL.padding, 65_536),
  );
  await link.send(...Array.from({ length: 64 }, () => cell(0, CELL.padding)));
  const circuit = await circuitOf(network, link, 7);
  assertEquals((await circuit.resolve(1, "echo")).answers?.length, 2);
  await link.close();
  await settle(network, [0]);
});

Deno.test("SPEC.md §12.2: whoever does not wait for CREATED loses the circuit, and its number is free again", async () => {
  await using network = await RelayNetwork.start(1);
  const link = await linkTo(network);
  const circuit = new NaiveCircuit(link, 1);
  const { onionKey } = names(network)[0]!;
  const asked = createBytes(onionKey, random(1_249));
  await circuit.cell(CELL.create, noisy(asked, 1_536));
  await circuit.cell(CELL.relay, NOISE);
  assertEquals(await circuit.end(), "protocol");
  await circuitOf(network, link, 1);
  await link.close();
  await settle(network, [0]);
});

Deno.test("SPEC.md §12.3: eight relays and not one more; a position is not taken on trust", async () => {
  await using network = await RelayNetwork.start(2);
  const link = await linkTo(network);
  const circuit = new NaiveCircuit(link, 1);
  const [even, odd] = names(network);
  for (let i = 0; i < 8; i++) await circuit.extend(i % 2 === 0 ? even! : odd!);
  assertEquals(network.circuits, [4, 4]);
  const stream = await circuit.open(1, "echo", 1);
  const sent = random(3 * circuit.room(1_536));
  await circuit.write(stream, sent, 1_536);
  await circuit.until(() => stream.length === sent.length);
  assertEquals(join(...stream.received), sent);
  const asked = createBytes(even!.onionKey, random(1_249));
  // It does not even look for the next one.
  await circuit.send("EXTEND", 0, join(random(32), asked));
  assertEquals(await circuit.end(), "protocol");
  for (
    const [position, reason] of [[0, "protocol"], [9, "protocol"]] as const
  ) {
    const other = new NaiveCircuit(link, 2 + position);
    await other.extend(even!, position).catch(() => {/* destroyed */});
    assertEquals(other.destroyed, reason);
  }
  const liar = new NaiveCircuit(link, 5);
  await liar.extend(even!);
  await liar.extend(odd!, 3);
  await liar.send("DROP", 0, NOTHING);
  assertEquals(await liar.end(), "protocol");
  await link.close();
  await settle(network, [0, 0]);
});

Deno.test("SPEC.md §12.4: a layer key lasts 2^14 cells, and the next one is that of the text", async () => {
  await using network = await RelayNetwork.start(1);
  const link = await linkTo(network);
  const circuit = await circuitOf(network, link);
  const count = 2 ** 14 + 10;
  for (let sent = 0; sent < count; sent += 64) {
    const cells = Array.from({ length: Math.min(64, count - sent) }, () => ({
      ...cell(1, CELL.relay, 0),
      body: wrap(circuit.hops, 1, rest1).body,
    }));
    await link.send(...cells);
  }
  assertEquals((await circuit.resolve(1, "echo")).answers?.length, 2);
  await link.close();
  await settle(network, [0]);
});

/** DROP, for the first relay. */
const rest1 = messageBytes(
  { command: "DROP", stream: 0, data: NOTHING },
  layerLength(1_536, 2),
);
