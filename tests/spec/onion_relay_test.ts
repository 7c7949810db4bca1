import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import { CircuitLink } from "../../lib/onion/link/circuit_link.ts";
import { Link } from "../../lib/onion/link/link.ts";
import { askForLink } from "../../lib/onion/link/link_commands.ts";
import { StreamError } from "../../lib/onion/stream/stream_error.ts";
import { MalformedError, writeAll } from "../../lib/protocol/mod.ts";
import { memoryConnection } from "../support/memory_stream.ts";
import { CELL, layerLength } from "./naive_cells.ts";
import { beginBytes, resolveBytes } from "./naive_messages.ts";
import { NaiveLink } from "./naive_link.ts";
import { join, random, unsigned, x25519Pair } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import { NaiveRelays, naiveRelays } from "./naive_relays.ts";
import { NaiveStream } from "./naive_windows.ts";

const NOTHING: Octets = new Uint8Array(0);

/** A circuit of our client through relays of the text. */
interface Ends extends AsyncDisposable {
  readonly circuit: ClientCircuit;
  readonly relays: NaiveRelays;
  readonly link: CircuitLink;
  /** What the client has to say of a link that ended badly. */
  readonly running: Promise<unknown>;
}

/** Our client builds a circuit of so many relays. */
async function ends(length: number): Promise<Ends> {
  const { left, right } = memoryConnection();
  const key = x25519Pair();
  const answering = NaiveLink.answer(right, key);
  const channel = await askForLink(left, key.open);
  const link = new CircuitLink(new Link(channel, () => performance.now()));
  const running = link.run(() => Promise.resolve()).catch((error) => error);
  const path = naiveRelays(length);
  const naive = await answering;
  const relays = new NaiveRelays(naive, path);
  const serving = relays.serve();
  serving.catch(() => link.abort());
  const circuit = await ClientCircuit.build(
    link,
    path.map(({ fingerprint, onion }) => ({
      fingerprint,
      onionKey: onion.open,
    })),
  ).catch(async (error) => {
    await serving;
    throw error;
  });
  return {
    circuit,
    relays,
    link,
    running,
    async [Symbol.asyncDispose]() {
      if (!link.ended) await link.close();
      await serving;
      naive.drop();
      await running;
    },
  };
}

Deno.test("SPEC.md §12: what our client sends through one to eight relays is byte for byte what the text seals, past both windows", async () => {
  for (const length of [1, 2, 3, 8]) {
    await using both = await ends(length);
    const { circuit, relays } = both;
    const stream = await circuit.streams.open({ host: "echo", port: 443 });
    assertEquals(relays.said.slice(-2), ["BEGIN 1", "echo:443"]);
    // With three relays more than 4,096 units there and back, with others less.
    const sent = [1, 1_400, 3_000, length === 3 ? 3_000_000 : 150_000, 9]
      .map(random);
    const writing = (async () => {
      for (const bytes of sent) await writeAll(stream, bytes);
      await stream.closeWrite();
    })();
    const parts: Octets[] = [];
    for (;;) {
      const part = await stream.next();
      if (part === null) break;
      parts.push(part.slice());
    }
    await writing;
    assert(join(...parts).toHex() === join(...sent).toHex(), "altered");
    assertEquals(relays.streams.get(1)!.ended, 0);
    assert(relays.cells.get(1_536)! > 2 && relays.cells.get(65_536)! > 1);
    assertEquals(
      await circuit.streams.resolve("name.example"),
      ["name.example.1", "name.example.2"],
    );
    const refused = await assertRejects(
      () => circuit.streams.open({ host: "elsewhere", port: 1 }),
      StreamError,
    );
    assertEquals(refused.reason, "unreachable");
    assertEquals(relays.destroyed, undefined);
    circuit.destroy("requested");
  }
});

/** Says something on a circuit of three relays, on which stream 1 is open. */
type Lie = (relays: NaiveRelays, ends: Ends) => Promise<unknown>;

/** A rest with any command, and any length in it. */
function rest(command: number, length = 0): Octets {
  const head = join(unsigned(1, command), unsigned(2, 0), unsigned(2, length));
  return join(head, new Uint8Array(layerLength(1_536, 4) - head.length));
}

const LIES: readonly (readonly [string, Lie])[] = [
  ["noise", (r) => r.cell(CELL.relay, random(1_536))],
  ["CREATED once more", (r) => r.cell(CELL.created, random(1_536))],
  [
    "a message of the second relay",
    (r) => r.send({ command: "DROP", stream: 0, data: NOTHING }, 1_536, 2),
  ],
  [
    "a layer of a relay that is not there",
    (r) => r.sendRest(rest(9), 1_536, 3, 0),
  ],
  ["a layer for nobody", (r) => r.sendRest(rest(9), 1_536, 3, 2)],
  ["an unknown command", (r) => r.sendRest(rest(99))],
  [
    "a length beyond the end",
    (r) => r.sendRest(rest(9, layerLength(1_536, 4) - 4)),
  ],
  ["BEGIN", (r) => r.send({ command: "BEGIN", stream: 2, data: begin })],
  ["RESOLVE", (r) => r.send({ command: "RESOLVE", stream: 2, data: name })],
  [
    "EXTEND",
    (r) => r.send({ command: "EXTEND", stream: 0, data: random(1_315) }),
  ],
  [
    "EXTENDED",
    (r) => r.send({ command: "EXTENDED", stream: 0, data: random(1_154) }),
  ],
  [
    "SENDME that answers nothing",
    (r) => r.send({ command: "SENDME", stream: 0, data: random(16) }),
  ],
  [
    "SENDME of a stream that answers nothing",
    (r) => r.send({ command: "SENDME", stream: 1, data: NOTHING }),
  ],
  [
    "END without a reason",
    (r) => r.send({ command: "END", stream: 1, data: NOTHING }),
  ],
  ["DATA behind END", async (r) => {
    await r.send({ command: "END", stream: 1, data: unsigned(1, 0) });
    await r.send({ command: "DATA", stream: 1, data: random(1) });
  }],
  [
    "DATA that the window of a stream does not allow",
    async (r, { circuit }) => {
      const data = random(1);
      const stream = r.streams.get(1)!;
      for (let i = 0; i < 16; i++) {
        const message = { command: "DATA", stream: 1, data } as const;
        r.windows.sent(stream, 65_536, await r.send(message, 65_536));
      }
      assertEquals(stream.window, 0);
      assertEquals((await circuit.streams.resolve("so.far")).length, 2);
      await r.send({ command: "DATA", stream: 1, data });
    },
  ],
];

Deno.test("SPEC.md §12: our client destroys a circuit on which a relay says what the text does not allow", async () => {
  for (const [lie, say] of LIES) {
    await using both = await ends(3);
    const { circuit, relays } = both;
    await circuit.streams.open({ host: "echo", port: 1 });
    await say(relays, both);
    await until(() => relays.destroyed !== undefined);
    assertEquals(relays.destroyed, "protocol", lie);
    assertEquals(circuit.failure?.reason, "protocol", lie);
    assertEquals(both.link.ended, false, lie);
  }
});

Deno.test("SPEC.md §12: what means nothing according to the text means nothing to our client", async () => {
  await using both = await ends(3);
  const { circuit, relays } = both;
  await relays.send({ command: "DROP", stream: 0, data: random(9) });
  for (const command of ["CONNECTED", "RESOLVED", "SENDME"] as const) {
    await relays.send({ command, stream: 7, data: NOTHING });
  }
  await relays.send({ command: "END", stream: 7, data: unsigned(1, 0) });
  await relays.sendRest(rest(9).map((byte, i) => i < 5 ? byte : 1));
  const stray = { command: "DATA", stream: 7, data: random(5) } as const;
  for (let i = 0; i < 4; i++) {
    const tag = await relays.send(stray, 65_536);
    relays.windows.sent(new NaiveStream(7), 65_536, tag);
  }
  await until(() => relays.said.includes("SENDME 0"));
  assertEquals((await circuit.streams.resolve("still.there")).length, 2);
  assertEquals(relays.windows.window, 4_096);
  circuit.destroy("timeout");
  await until(() => relays.destroyed !== undefined);
  assertEquals(relays.destroyed, "timeout");
});

Deno.test("SPEC.md §12.2: a relay opens no circuits on a link that our client has opened", async () => {
  await using both = await ends(1);
  await both.relays.cell(CELL.create, random(1_536));
  assert(await both.running instanceof MalformedError);
  assertEquals(both.circuit.failure?.reason, "link-gone");
});

const begin = beginBytes("echo", 1);
const name = resolveBytes("echo");

/** Waits a moment, again and again. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("SPEC.md §12.2: our client says DESTROY behind one that has come, with its reason, and once", async () => {
  await using both = await ends(2);
  const { circuit, relays } = both;
  await relays.destroy("hibernating");
  await until(() => relays.destroyed !== undefined);
  assertEquals(relays.destroyed, "hibernating");
  assertEquals(circuit.failure?.reason, "hibernating");
  await relays.destroy("hibernating");
  await relays.cell(CELL.relay, random(1_536));
  circuit.destroy("requested");
  await both.link.close();
  assertEquals(relays.destroys, 1);
});
