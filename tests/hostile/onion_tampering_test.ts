import { assert, assertEquals } from "@std/assert";
import { LARGE, sealedLength, SMALL } from "../../lib/onion/cell/cell.ts";
import type { CellSize } from "../../lib/onion/cell/cell.ts";
import { capacity } from "../../lib/onion/cell/message.ts";
import { ClientCircuit } from "../../lib/onion/client/client_circuit.ts";
import type { OnionStream } from "../../lib/onion/stream/opener.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { randomBytes, writeAll } from "../../lib/protocol/mod.ts";
import { CLIENT, RelayNetwork } from "../onion/relay_network.ts";
import type { Wire } from "../onion/relay_network.ts";
import {
  pause,
  readExactly,
  readUntilFailure,
  until,
  within,
} from "../onion/streams.ts";
import { flipped } from "../onion/wire_tap.ts";
import type { WireDirection, WireEdit, WireRecord } from "../onion/wire_tap.ts";

const HOPS = 3;
type Way = "forward" | "backward";
const WAYS: readonly Way[] = ["forward", "backward"];

/** A circuit with a stream on which both ends send what a test tells them to. */
interface Conversation {
  readonly circuit: ClientCircuit;
  /** The wires from the client to the exit. */
  readonly wires: readonly Wire[];
  /** The client's end of the stream, and the server's. */
  readonly client: OnionStream;
  readonly server: OnionStream;
}

async function converse(network: RelayNetwork): Promise<Conversation> {
  network.endings.length = 0;
  const link = await network.link();
  const path = network.path(...Array(HOPS).keys());
  const circuit = await ClientCircuit.build(link, path, ({ reason }) => {
    network.endings.push({ relay: CLIENT, reason });
  });
  const client = await circuit.streams.open({ host: "silent", port: 1 });
  const server = network.nodes[HOPS - 1]!.world.connections.at(-1)!;
  return { circuit, wires: network.wiresOf(HOPS), client, server };
}

/** What fits into one cell of a size. */
function cellful(size: CellSize): Bytes {
  return randomBytes(capacity(size, HOPS) - (size === SMALL ? 0 : 100));
}

function ends({ client, server }: Conversation, way: Way) {
  return way === "forward"
    ? { sender: client, receiver: server }
    : { sender: server, receiver: client };
}

function direction({ wires }: Conversation, way: Way, at: number) {
  return way === "forward" ? wires[at]!.rightward : wires[at]!.leftward;
}

/** Does `edit` to the first body of a size that passes, and nothing to any other. */
function once(
  passage: WireDirection,
  size: CellSize,
  edit: WireEdit,
): void {
  passage.edit = (record) => {
    if (record.size !== size) return [record.bytes];
    passage.edit = undefined;
    return edit(record);
  };
}

/** Sends two cells, one behind the other; the receiver gets nothing of them. */
async function nothingArrives(
  conversation: Conversation,
  way: Way,
  size: CellSize,
): Promise<void> {
  const { sender, receiver } = ends(conversation, way);
  const sending = (async () => {
    await writeAll(sender, cellful(size));
    await pause(1);
    await writeAll(sender, cellful(size));
  })().catch(() => {/* the circuit is gone */});
  const { bytes, error } = await within(
    20_000,
    "the end of the stream",
    readUntilFailure(receiver),
  );
  await sending;
  assertEquals(bytes.length, 0, "bytes behind the tampering have come");
  assertNoticed(way, error);
  await until(() => conversation.circuit.failure !== undefined, "it ends");
}

/**
 * An orderly end would be a truncation that the client does not notice. What an exit does to a server
 * is to hang up: TCP here knows no other way.
 */
function assertNoticed(way: Way, error: unknown): void {
  if (way === "forward") return;
  assert(error !== undefined, "the stream has ended as if all were well");
}

/** One cell passes both ways, as it should. */
async function works(conversation: Conversation): Promise<void> {
  for (const way of WAYS) {
    for (const size of [SMALL, LARGE] as const) {
      const { sender, receiver } = ends(conversation, way);
      const sent = cellful(size);
      await writeAll(sender, sent);
      assertEquals(await readExactly(receiver, sent.length), sent);
    }
  }
}

for (const way of WAYS) {
  for (const [name, size] of [["small", SMALL], ["large", LARGE]] as const) {
    Deno.test(`S4.6: a flipped bit kills the circuit at the first honest node: ${name} cells, ${way}, at each hop`, async () => {
      await using network = await RelayNetwork.start(HOPS);
      for (let at = 0; at < HOPS; at++) {
        const sealed = sealedLength(size, at + 1);
        const bytes = [0, 1, sealed >> 1, sealed - 16, sealed - 1];
        for (const [i, byte] of bytes.entries()) {
          const conversation = await converse(network);
          await works(conversation);
          const bit = byte * 8 + i;
          once(
            direction(conversation, way, at),
            size,
            (record) => [flipped(record, bit)],
          );
          await nothingArrives(conversation, way, size);
          // Towards the client a relay cannot look into what it wraps: there the client notices.
          const noticed = way === "forward" ? at : CLIENT;
          assertEquals(network.endings[0], {
            relay: noticed,
            reason: "protocol",
          });
          await until(
            () => network.circuits.every((each) => each === 0),
            "every relay forgets it",
          );
        }
      }
    });
  }
}

Deno.test("S4.6: what fills a cell up belongs to no layer: nobody can say anything with it, and nobody is harmed", async () => {
  await using network = await RelayNetwork.start(HOPS);
  for (let at = 1; at < HOPS; at++) {
    for (const way of WAYS) {
      const conversation = await converse(network);
      const passage = direction(conversation, way, at);
      let seen: Bytes | undefined;
      once(passage, LARGE, (record) => {
        seen = record.body.slice(sealedLength(LARGE, at + 1));
        return [flipped(record, 8 * sealedLength(LARGE, at + 1))];
      });
      // The next link carries other noise.
      const next = way === "forward" ? at + 1 : at - 1;
      let passedOn: Bytes | undefined;
      if (next < HOPS) {
        once(direction(conversation, way, next), LARGE, (record) => {
          passedOn = record.body.slice(sealedLength(LARGE, at + 1));
          return [record.bytes];
        });
      }
      await works(conversation);
      assert(seen !== undefined && seen.length > 0);
      if (passedOn !== undefined) {
        assert(!passedOn.toHex().endsWith(seen.toHex()));
      }
      conversation.circuit.destroy("requested");
    }
  }
});

/** What somebody does to bodies whose headers pass as they are. */
const BODY_EDITS: Readonly<Record<string, () => WireEdit>> = {
  dropped: () => () => [],
  repeated: () => ({ bytes }) => [bytes, bytes],
  "replaced by noise": () => ({ bytes }) => {
    bytes.set(randomBytes(bytes.length - 4), 4);
    return [bytes];
  },
  "sent again in place of the next": () => {
    let first: WireRecord | undefined;
    return (record) => {
      first ??= record;
      return [first.bytes];
    };
  },
  swapped: () => {
    let first: WireRecord | undefined;
    let passed = false;
    return (record) => {
      if (passed) return [record.bytes];
      if (first === undefined) {
        first = record;
        return [];
      }
      passed = true;
      return [record.bytes, first.bytes];
    };
  },
};

for (const [name, make] of Object.entries(BODY_EDITS)) {
  Deno.test(`S4.6: bodies that are ${name} destroy the circuit at each hop, in each direction`, async () => {
    await using network = await RelayNetwork.start(HOPS);
    for (const [at, way] of places()) {
      const conversation = await converse(network);
      await works(conversation);
      const edit = make();
      direction(conversation, way, at).edit = (record) =>
        record.size === LARGE ? edit(record) : [record.bytes];
      const { bytes } = await bulk(conversation, way);
      direction(conversation, way, at).edit = undefined;
      // The first cell is itself where it is only sent again or twice.
      const whole = name.startsWith("sent again") || name === "repeated";
      assert(bytes <= (whole ? capacity(LARGE, HOPS) : 0), `${bytes} bytes`);
    }
  });
}

/** Every link of a circuit in each direction. */
function places(): [number, Way][] {
  return Array.from({ length: HOPS }, (_, at) => at)
    .flatMap((at) => WAYS.map((way): [number, Way] => [at, way]));
}

/** Sends so many cells that every edit takes effect; what came before the end. */
async function bulk(
  conversation: Conversation,
  way: Way,
): Promise<{ bytes: number }> {
  const { sender, receiver } = ends(conversation, way);
  const sent = randomBytes(60_000);
  const sending = (async () => {
    for (let i = 0; i < 8; i++) {
      await writeAll(sender, sent);
      await pause(1);
    }
  })().catch(() => {/* the circuit is gone */});
  const { bytes, error } = await within(
    20_000,
    "the end of the stream",
    readUntilFailure(receiver),
  );
  await sending;
  assertNoticed(way, error);
  for (let from = 0; from < bytes.length; from += sent.length) {
    const part = bytes.subarray(from, from + sent.length);
    assertEquals(part.toHex(), sent.subarray(0, part.length).toHex());
  }
  await until(() => conversation.circuit.failure !== undefined, "it ends");
  return { bytes: bytes.length };
}

/** What somebody does to whole batches: sealed headers with their bodies. */
const BATCH_EDITS: Readonly<
  Record<string, (batches: Bytes[][]) => readonly Bytes[][]>
> = {
  dropped: ([, second, third]) => [second!, third!],
  repeated: ([first, second]) => [first!, first!, second!],
  swapped: ([first, second]) => [second!, first!],
};

for (const [name, arrange] of Object.entries(BATCH_EDITS)) {
  Deno.test(`S4.6: batches of cells that are ${name} end the link, and every circuit on it`, async () => {
    for (const [at, way] of places()) {
      // Every time another network, because a link between relays is lost.
      await using network = await RelayNetwork.start(HOPS);
      const conversation = await converse(network);
      await works(conversation);
      const batches: Bytes[][] = [];
      let passed = false;
      direction(conversation, way, at).edit = (record) => {
        if (passed) return [record.bytes];
        if (record.bytes[0]! < 0x80) batches.push([]);
        batches.at(-1)!.push(record.bytes);
        if (batches.length < 4) return [];
        passed = true;
        const last = batches.pop()!;
        return [...arrange(batches), last].flat();
      };
      const { bytes } = await bulk(conversation, way);
      assert(name === "repeated" || bytes === 0, `${bytes} bytes have come`);
      await until(
        () => network.circuits.every((each) => each === 0),
        "every relay forgets it",
      );
    }
  });
}
