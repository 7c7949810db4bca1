import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { seal } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  Channel,
  ChannelError,
  concat,
  receiveAll,
} from "../../lib/protocol/mod.ts";
import { memoryConnection } from "../support/memory_stream.ts";
import type { MemoryEnd } from "../support/memory_stream.ts";
import { TrafficKey } from "../../lib/protocol/channel/traffic_key.ts";
import { join, random } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import {
  bare,
  bodyOf,
  cutRecords,
  Direction,
  RECORDS_UNDER_ONE_KEY,
} from "./naive_records.ts";

/** What happens on a channel: bytes are sent, or a body, or a secret of some length is mixed in. */
type Step =
  | { readonly send: number }
  | { readonly body: number }
  | { readonly mix: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ send: fc.integer({ min: 1, max: 3_000 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ body: fc.integer({ min: 1, max: 3_000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ mix: fc.integer({ min: 1, max: 64 }) }),
    },
  ),
  { maxLength: 12 },
);

interface Ends {
  readonly channel: Channel;
  readonly out: Direction;
  readonly in: Direction;
}

/** A channel of ours and the two directions of the text under the same keys. */
async function ends(
  stream: MemoryEnd,
  keyLasts: number,
): Promise<Ends> {
  const [send, receive] = [random(32), random(32)];
  return {
    channel: new Channel(stream, {
      send: await TrafficKey.of(send, keyLasts),
      receive: await TrafficKey.of(receive, keyLasts),
      hash: random(32),
    }),
    out: new Direction(receive, keyLasts),
    in: new Direction(send, keyLasts),
  };
}

/** What `from` has written so far and `to`, the other end, has not read. */
async function arrivedAt(to: MemoryEnd, from: MemoryEnd): Promise<Octets> {
  const parts: Octets[] = [];
  while (from.unread > 0) {
    const buffer = new Uint8Array(from.unread);
    parts.push(buffer.slice(0, (await to.read(buffer))!));
  }
  return join(...parts);
}

Deno.test("S1.5: what our channel sends opens under the text, byte for byte, through new keys, mixes and CLOSE", async () => {
  let records = 0;
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(512, 1_000, 65_536),
      async (plan, keyLasts, limit) => {
        const { left: near, right: far } = memoryConnection();
        const { channel, in: direction } = await ends(near, keyLasts);
        channel.limit(limit);
        const sent: Octets[] = [];
        const bodies: Octets[] = [];
        const opened: Octets[] = [];
        const openedBodies: Octets[] = [];
        let arrived: Octets = new Uint8Array(0);
        const take = async () => {
          await channel.flushed();
          arrived = join(arrived, await arrivedAt(far, near));
          const cut = cutRecords(arrived);
          arrived = cut.rest;
          for (const record of cut.records) {
            const body = bodyOf(record);
            if (body !== undefined) openedBodies.push(body);
            const content = body ?? direction.open(record);
            assert(content.length <= limit);
            opened.push(content);
            records++;
          }
        };
        for (const step of plan) {
          if ("send" in step) {
            sent.push(random(step.send));
            channel.send(sent.at(-1)!);
          } else if ("body" in step) {
            sent.push(random(step.body));
            bodies.push(sent.at(-1)!);
            channel.sendBody(sent.at(-1)!);
          } else {
            const secret = random(step.mix);
            await take();
            channel.use(await channel.mix(secret));
            direction.mix(secret);
          }
        }
        await take();
        assert(
          opened.every(({ length }) => length > 0),
          "no empty record but CLOSE",
        );
        await channel.close();
        const { records: [close, ...more], rest } = cutRecords(
          join(arrived, await arrivedAt(far, near)),
        );
        assertEquals(direction.open(close!), new Uint8Array(0));
        assertEquals([more.length, rest.length], [0, 0]);
        assertEquals(join(...opened), join(...sent));
        assertEquals(join(...openedBodies), join(...bodies));
      },
    ),
    { numRuns: 60 },
  );
  assert(records > 100, `${records} records`);
});

Deno.test("S1.5: what the text seals opens in our channel, through new keys, mixes and CLOSE", async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5_000 }),
      async (plan, keyLasts, piece) => {
        const { left: near, right: far } = memoryConnection({
          leftward: { readAtMost: piece },
        });
        const { channel, out: direction } = await ends(near, keyLasts);
        const sent: Octets[] = [];
        const seen: Bytes[] = [];
        for (const step of plan) {
          if ("send" in step) {
            sent.push(random(step.send));
            await far.write(direction.seal(sent.at(-1)!));
            seen.push((await channel.receive())!);
          } else if ("body" in step) {
            const body = random(step.body);
            sent.push(body);
            for (let at = 0; at < body.length; at += piece) {
              await far.write(bare(body.slice(at, at + piece)));
            }
            seen.push(await channel.receiveBody(body.length));
          } else {
            const secret = random(step.mix);
            channel.use(await channel.mix(secret));
            direction.mix(secret);
          }
        }
        await far.write(direction.seal(new Uint8Array(0)));
        seen.push(await receiveAll(channel));
        assertEquals(concat(...seen), join(...sent));
        await channel.close();
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("SPEC.md §4.2: a key seals 2^20 records, the next one is that of the text", async () => {
  const raw = random(32);
  const key = await TrafficKey.of(raw);
  for (let i = 0; i < RECORDS_UNDER_ONE_KEY; i++) key.take();
  const next = key.take();
  const header = Uint8Array.fromHex("00000011");
  const body = await seal(
    await next.key,
    next.nonce,
    new Uint8Array(1),
    header,
  );
  const direction = new Direction(raw);
  direction.skip(RECORDS_UNDER_ONE_KEY);
  assertEquals(direction.open(join(header, body)), new Uint8Array(1));
});

Deno.test("SPEC.md §4.1: shortest and longest record; one more byte is a violation on both sides", async () => {
  for (const length of [1, 65_535, 65_536]) {
    const { left: near, right: far } = memoryConnection();
    const { channel, out } = await ends(near, 10);
    const sent = random(length);
    await far.write(out.seal(sent));
    assertEquals(await channel.receive(), sent);
    channel.abort();
  }
  for (const length of [0, 15, 65_553, 2 ** 32 - 1]) {
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, length);
    const { left: near, right: far } = memoryConnection();
    const { channel } = await ends(near, 10);
    await far.write(header);
    const error = await assertRejects(() => channel.receive(), ChannelError);
    assertEquals(error.code, "ERR_CHANNEL_VIOLATION");
    assertThrows(() => cutRecords(join(header, new Uint8Array(20))));
  }
});

Deno.test("SPEC.md §4.7: an altered body comes through as it is; one that is not where it is due, or too long, does not", async () => {
  const { left: near, right: far } = memoryConnection();
  const { channel, out } = await ends(near, 10);
  const body = random(1_000);
  const altered = body.with(7, body[7]! ^ 1);
  await far.write(join(bare(altered.slice(0, 1)), bare(altered.slice(1))));
  assertEquals(await channel.receiveBody(body.length), altered);
  await far.write(out.seal(body));
  assertEquals(await channel.receive(), body);
  channel.abort();
  const violations: [(out: Direction) => Octets, number][] = [
    [() => bare(body), 0],
    [(out) => out.seal(body), 1_000],
    [(out) => out.seal(new Uint8Array(0)), 1_000],
    [() => bare(body), 999],
    [(out) => join(bare(body), out.seal(body)), 1_001],
    [() => Uint8Array.fromHex("80000000"), 1_000],
    [() => Uint8Array.fromHex("80010001"), 1_000],
  ];
  for (const [record, due] of violations) {
    const { left: near, right: far } = memoryConnection();
    const { channel, out } = await ends(near, 10);
    await far.write(record(out));
    const error = await assertRejects(
      () => due > 0 ? channel.receiveBody(due) : channel.receive(),
      ChannelError,
    );
    assertEquals(error.code, "ERR_CHANNEL_VIOLATION");
  }
  // What was sealed is being opened still.
  await new Promise((resolve) => setTimeout(resolve, 3));
});
