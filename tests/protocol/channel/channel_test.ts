import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { concat } from "../../../lib/protocol/bytes/bytes.ts";
import { Channel, receiveAll } from "../../../lib/protocol/channel/channel.ts";
import { TrafficKey } from "../../../lib/protocol/channel/traffic_key.ts";
import type { Passage } from "../../support/memory_stream.ts";
import {
  later,
  LEFT_KEY,
  pair,
  pattern,
  receiveBytes,
  RIGHT_KEY,
} from "./pair.ts";

/** Ways in which a connection may give and take bytes. */
const PASSAGES: Readonly<Record<string, Passage>> = {
  "a quiet connection": {},
  "reads of one byte": { readAtMost: 1 },
  "writes of one byte": { writeAtMost: 1 },
  "reads and writes of three bytes": { readAtMost: 3, writeAtMost: 3 },
  "small buffers": { capacity: 100 },
  "reads of a record and a bit": { readAtMost: 65_556 + 7 },
  "delays": { delay: () => later(), readAtMost: 60_000 },
};

for (const [name, passage] of Object.entries(PASSAGES)) {
  Deno.test(`Channel: bytes of every length arrive whole and in order over ${name}`, async () => {
    await using both = await pair({ rightward: passage });
    const { left, right } = both;
    const slow = passage.readAtMost === 1 || passage.writeAtMost === 1;
    const lengths = [1, 15, 16, 17, 511, 512, 1_023, 1_024, 1_025]
      .concat(slow ? [2_000] : [65_535, 65_536, 65_537, 200_000]);
    const sent = lengths.map((length, i) => pattern(length, i));
    const sending = (async () => {
      for (const bytes of sent) await left.send(bytes);
      await left.close();
    })();
    assertEquals(await receiveAll(right), concat(...sent));
    await sending;
    await right.close();
    await later(2);
  });
}

Deno.test("Channel: no bytes are no record", async () => {
  await using both = await pair();
  const { left, right } = both;
  await left.send(new Uint8Array(0));
  await left.send(pattern(1));
  assertEquals(await right.receive(), pattern(1));
  await left.close();
  assertEquals(await right.receive(), null);
});

Deno.test("Channel: thousands of sends that nobody waited for arrive in order, in few records", async () => {
  let records = 0;
  await using both = await pair({
    rightward: {
      edit: (record) => {
        records++;
        return [record];
      },
    },
  });
  const { left, right } = both;
  const sent = Array.from({ length: 5_000 }, (_, i) => pattern(1 + i % 50, i));
  const sends = sent.map((bytes) => left.send(bytes));
  const whole = concat(...sent);
  assertEquals(await receiveBytes(right, whole.length), whole);
  await Promise.all(sends);
  assert(records < 500, `${records} records for 5,000 sends`);
});

Deno.test("Channel: both directions at once do not disturb each other", async () => {
  await using both = await pair({
    rightward: { readAtMost: 5_000 },
    leftward: { writeAtMost: 7_000 },
  });
  const { left, right } = both;
  const [there, back] = [pattern(3_000_000, 1), pattern(2_000_000, 2)];
  const [a, b] = await Promise.all([
    receiveBytes(right, there.length),
    receiveBytes(left, back.length),
    left.send(there),
    right.send(back),
  ]);
  assert(a.every((byte, i) => byte === there[i]));
  assert(b.every((byte, i) => byte === back[i]));
  await Promise.all([left.close(), right.receive()]);
  await right.close();
});

Deno.test("Channel: whatever is sent over whatever connection, the same bytes come out, and then the end", async () => {
  const most = fc.option(fc.integer({ min: 1, max: 3_000 }), {
    nil: undefined,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 30 }),
      fc.record({ read: most, write: most }),
      fc.boolean(),
      fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      async (lengths, { read, write }, awaited, rekeyAfter) => {
        await using both = await pair({
          rightward: {
            ...read === undefined ? {} : { readAtMost: read },
            ...write === undefined ? {} : { writeAtMost: write },
          },
          ...rekeyAfter === undefined ? {} : { rekeyAfter },
        });
        const { left, right } = both;
        const sent = lengths.map((length, i) => pattern(length, i));
        const sending = (async () => {
          const sends: Promise<void>[] = [];
          for (const bytes of sent) {
            const send = left.send(bytes);
            sends.push(send);
            if (awaited) await send;
          }
          await Promise.all(sends);
          await left.close();
        })();
        const received = await receiveAll(right);
        await sending;
        right.abort();
        assert(concat(...sent).toHex() === received.toHex());
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("Channel: flushed resolves only when the connection has taken everything", async () => {
  await using both = await pair({
    rightward: { capacity: 10_000 },
  });
  const { left, right, connection } = both;
  const whole = pattern(100_000);
  await left.send(whole);
  let flushed = false;
  const flushing = left.flushed().then(() => flushed = true);
  await later(5);
  assertEquals(flushed, false);
  assertEquals(await receiveBytes(right, whole.length), whole);
  await flushing;
  assertEquals(connection.left.unread, 0);
});

Deno.test("Channel: bytes that came with the end of the handshake are read first", async () => {
  await using sender = await pair();
  await sender.left.send(pattern(10, 1));
  await sender.left.flushed();
  const wire = new Uint8Array(30);
  assertEquals(await sender.connection.right.read(wire), 30);
  for (let cut = 0; cut <= wire.length; cut++) {
    await using both = await pair();
    const { connection } = both;
    const right = new Channel(connection.right, {
      send: await TrafficKey.of(RIGHT_KEY),
      receive: await TrafficKey.of(LEFT_KEY),
      hash: wire,
    }, wire.slice(0, cut));
    if (cut < wire.length) await connection.left.write(wire.subarray(cut));
    assertEquals(await right.receive(), pattern(10, 1));
    right.abort();
  }
});
