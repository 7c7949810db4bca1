import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  answer,
  Caller,
  ChannelError,
  importDh,
} from "../../lib/protocol/mod.ts";
import type { Channel } from "../../lib/protocol/mod.ts";
import { memoryConnection } from "../support/memory_stream.ts";
import type { MemoryEnd } from "../support/memory_stream.ts";
import { hello, helloAck } from "./naive_handshake.ts";
import type { Agreed } from "./naive_handshake.ts";
import { ascii, join, random, x25519Pair } from "./naive_primitives.ts";
import type { Octets, RawPair } from "./naive_primitives.ts";
import { cutRecords, Direction } from "./naive_records.ts";
import { decode, encode } from "./naive_risp.ts";
import type { NaiveMessage } from "./naive_risp.ts";
import { specTable } from "./naive_tables.ts";

const GREETING = specTable("greeting");
const LIMITS = { message: 8_192, skipped: 65_536 };
const RUNS = 25;

/** Reads until `take` makes something of what has come. */
async function until<T>(
  stream: MemoryEnd,
  take: (arrived: Octets) => T | undefined,
): Promise<T> {
  let arrived: Octets = new Uint8Array(0);
  for (;;) {
    const taken = take(arrived);
    if (taken !== undefined) return taken;
    const buffer = new Uint8Array(4_096);
    const count = await stream.read(buffer);
    if (count === null) throw new Error("ended");
    arrived = join(arrived, buffer.slice(0, count));
  }
}

const message = (arrived: Octets): NaiveMessage | undefined =>
  decode(arrived, GREETING, LIMITS).messages[0];

const record = (arrived: Octets): Octets | undefined =>
  cutRecords(arrived).records[0];

/** The client of the text with a server of ours. */
async function withOurServer(
  s: RawPair,
  alter: (hello: Octets) => Octets = (same) => same,
): Promise<{ channel: Channel; agreed: Agreed; far: MemoryEnd }> {
  const { left, right } = memoryConnection();
  const answering = answer(left, {
    static: await importDh(s.secret),
    certificate: new Uint8Array(0),
  });
  answering.catch(() => {/* awaited below */});
  const begun = await hello(s.open);
  const handshake = alter(begun.hello);
  await right.write(encode(GREETING, ["HANDSHAKE", handshake], "HELLO"));
  const channel = (await answering)!;
  const { verb, values } = await until(right, message);
  assertEquals(verb, "HELLO-ACK");
  const [ack] = values.get("HANDSHAKE") as Octets[];
  return { channel, agreed: await begun.finish(ack!), far: right };
}

/** The server of the text with a client of ours. */
async function withOurClient(
  s: RawPair,
  alter: (ack: Octets) => Octets = (same) => same,
): Promise<{ channel: Channel; agreed: Agreed; far: MemoryEnd }> {
  const { left, right } = memoryConnection();
  const connecting = new Caller(left).connect(s.open);
  connecting.catch(() => {/* awaited below */});
  const { verb, values } = await until(right, message);
  assertEquals(verb, "HELLO");
  const [asked] = values.get("HANDSHAKE") as Octets[];
  assertEquals(asked!.length, 1_248);
  const { ack, agreed } = await helloAck(s, asked!);
  assertEquals(ack.length, 1_152);
  await right.write(encode(GREETING, ["HANDSHAKE", alter(ack)], "HELLO-ACK"));
  return { channel: await connecting, agreed, far: right };
}

/** One record each way, sealed by either side, opened by the other. */
async function speak(
  channel: Channel,
  far: MemoryEnd,
  out: Octets,
  back: Octets,
): Promise<void> {
  await far.write(new Direction(out).seal(ascii("from the text")));
  assertEquals(await channel.receive(), ascii("from the text"));
  await channel.send(ascii("from the code"));
  const sealed = await until(far, record);
  assertEquals(new Direction(back).open(sealed), ascii("from the code"));
  channel.abort();
}

Deno.test("S1.2: the client of the text shakes hands with our server, and they understand each other", async () => {
  for (let run = 0; run < RUNS; run++) {
    const { channel, agreed, far } = await withOurServer(x25519Pair());
    assertEquals(channel.hash, agreed.hash);
    await speak(channel, far, agreed.fromClient, agreed.fromServer);
  }
});

Deno.test("S1.2: our client shakes hands with the server of the text, and they understand each other", async () => {
  for (let run = 0; run < RUNS; run++) {
    const { channel, agreed, far } = await withOurClient(x25519Pair());
    assertEquals(channel.hash, agreed.hash);
    await speak(channel, far, agreed.fromServer, agreed.fromClient);
  }
});

Deno.test("S1.2: the handshake messages have the lengths of the text", async () => {
  const s = x25519Pair();
  const { hello: first, finish } = await hello(s.open);
  const { ack } = await helloAck(s, first);
  await finish(ack);
  assertEquals(encode(GREETING, ["HANDSHAKE", first], "HELLO").length, 1_254);
  assertEquals(encode(GREETING, ["HANDSHAKE", ack], "HELLO-ACK").length, 1_158);
});

const flips = (length: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: length * 8 - 1 });

function flipped(bytes: Octets, bit: number): Octets {
  const altered = bytes.slice();
  altered[bit >> 3]! ^= 1 << (bit & 7);
  return altered;
}

/** Bit 255 of a public key counts for nothing in X25519, but it is hashed. */
Deno.test("S1.2: a bit flipped in HELLO is refused by our server, one in HELLO-ACK by our client", async () => {
  const s = x25519Pair();
  await fc.assert(
    fc.asyncProperty(flips(1_248), flips(1_152), async (there, back) => {
      const first = await assertRejects(
        () => withOurServer(s, (bytes) => flipped(bytes, there)),
        ChannelError,
      );
      assertEquals(first.code, "ERR_HANDSHAKE_FAILED");
      const second = await assertRejects(
        () => withOurClient(s, (bytes) => flipped(bytes, back)),
        ChannelError,
      );
      assertEquals(second.code, "ERR_HANDSHAKE_FAILED");
    }),
    { numRuns: 40 },
  );
});

Deno.test("S1.2: whoever does not hold the node's key cannot answer", async () => {
  const [s, other] = [x25519Pair(), x25519Pair()];
  const { hello: first } = await hello(s.open);
  await assertRejects(() => helloAck(other, first));
  const { left, right } = memoryConnection();
  const answering = answer(left, {
    static: await importDh(other.secret),
    certificate: new Uint8Array(0),
  });
  await right.write(encode(GREETING, ["HANDSHAKE", first], "HELLO"));
  const error = await assertRejects(() => answering, ChannelError);
  assertEquals(error.code, "ERR_HANDSHAKE_FAILED");
});

Deno.test("S0.1 S0.2 S2.1: our server answers the text's questions in the clear, with the unknown between them", async () => {
  const { left, right } = memoryConnection();
  const certificate = random(559);
  const answering = answer(left, {
    static: await importDh(random(32)),
    certificate,
  });
  await right.write(join(
    Uint8Array.fromHex("8fff03010203"),
    encode(GREETING, "HELO", ["REFUSAL", ascii("x")]),
    Uint8Array.fromHex("c001"),
    encode(GREETING, "PUBLIC-KEY", "OLEH", "HELO"),
  ));
  const messages = await until(right, (arrived) => {
    const all = decode(arrived, GREETING, LIMITS).messages;
    return all.length === 3 ? all : undefined;
  });
  assertEquals(messages.map(({ verb }) => verb), [
    "OLEH",
    "PUBLIC-KEY-IS",
    "OLEH",
  ]);
  assertEquals(messages[1]!.values.get("NODE-CERTIFICATE"), [certificate]);
  right.close();
  assertEquals(await answering, undefined);
});
