import { assert, assertEquals } from "@std/assert";
import { BODY_BYTES } from "../../lib/onion/cell/cell.ts";
import { randomBytes, utf8 } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { hurried } from "./hurry.ts";
import { CLIENT, CLIENT_ADDRESS, RelayNetwork } from "./relay_network.ts";
import { readExactly } from "./streams.ts";

const HOPS = 3;
const HOST = "a-host-that-nobody-else-speaks-of.example";

/** Everything that passes on each link of a circuit that loads and sends something. */
async function captured(network: RelayNetwork) {
  const text = utf8("the secret that is told over and over ".repeat(40));
  network.nodes[HOPS - 1]!.world.servers.set(HOST, async (connection) => {
    await readExactly(connection, text.length);
    await connection.write(text);
  });
  // A link between relays stands once a first circuit was built.
  const circuit = await network.circuit(HOPS);
  const sent: Bytes[][] = [];
  const got: Bytes[][] = [];
  for (const wire of network.wiresOf(HOPS)) {
    const [out, back]: [Bytes[], Bytes[]] = [[], []];
    wire.rightward.watch = ({ bytes }) => out.push(bytes.slice());
    wire.leftward.watch = ({ bytes }) => back.push(bytes.slice());
    sent.push(out);
    got.push(back);
  }
  const stream = await circuit.streams.open({ host: HOST, port: 8_080 });
  await stream.write(text);
  await readExactly(stream, text.length);
  const bulk = await circuit.streams.open({ host: "echo", port: 1 });
  const data = randomBytes(60_000);
  const writing = bulk.write(data);
  await readExactly(bulk, data.length);
  await writing;
  return { sent, got, text };
}

/** The pieces of a record at which two of them could be told to be the same. */
function pieces(record: Bytes): string[] {
  const found: string[] = [];
  for (let at = 4; at + 16 <= record.length; at += 16) {
    found.push(record.slice(at, at + 16).toHex());
  }
  return found;
}

Deno.test("S4.5, S4.6: whoever watches the links sees bodies of two sizes, and nothing that is the same on two of them", async () => {
  await using network = await RelayNetwork.start(HOPS);
  const { sent, got, text } = await captured(network);
  const needles = [utf8(HOST), text.slice(0, 16)].map((each) => each.toHex());
  for (const links of [sent, got]) {
    const seen = new Map<string, number>();
    for (const [link, records] of links.entries()) {
      assert(records.length > 4);
      for (const record of records) {
        const isBare = record[0]! >= 0x80;
        if (isBare) {
          const length = record.length - 4;
          assert(
            (BODY_BYTES as readonly number[]).includes(length),
            `a body of ${length} bytes`,
          );
        }
        const hex = record.toHex();
        for (const needle of needles) assert(!hex.includes(needle));
        for (const piece of pieces(record)) {
          const before = seen.get(piece);
          assert(
            before === undefined || before === link,
            `links ${before} and ${link} carry the same`,
          );
          seen.set(piece, link);
        }
      }
    }
  }
});

Deno.test("S4.5: lengths of bodies are the same on every link, whatever is said", async () => {
  // So slowly that no link is idle for long enough to be padded.
  await hurried(0.05, async () => {
    await using network = await RelayNetwork.start(HOPS);
    const { sent, got } = await captured(network);
    for (const links of [sent, got]) {
      const lengths = links.map((records) =>
        records.filter((each) => each[0]! >= 0x80).map((each) => each.length)
      );
      for (const each of lengths) assertEquals(each, lengths[0]);
    }
  });
});

Deno.test("S4.5: the entry knows the client and not the destination, the exit the other way round, the middle neither", async () => {
  await using network = await RelayNetwork.start(HOPS);
  await captured(network);
  const [entry, middle, exit] = network.nodes;
  assertEquals(entry!.callers, [CLIENT_ADDRESS]);
  assertEquals(middle!.callers, ["192.0.2.1"]);
  assertEquals(exit!.callers, ["192.0.2.2"]);
  assertEquals(entry!.world.dialled, []);
  assertEquals(middle!.world.dialled, []);
  assertEquals(exit!.world.dialled, [`${HOST}:8080`, "echo:1"]);
  // And nobody has connected to anybody but the next one.
  assertEquals(
    network.wires.map(({ from, to }) => [from, to]),
    [[CLIENT, 0], [0, 1], [1, 2]],
  );
});
