import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { concat } from "../../../lib/protocol/bytes/bytes.ts";
import { CommandChannel } from "../../../lib/protocol/channel/command_channel.ts";
import { CommandWriter } from "../../../lib/protocol/risp/command_writer.ts";
import { Vocabulary } from "../../../lib/protocol/risp/vocabulary.ts";
import type { Passage } from "../../support/memory_stream.ts";
import { GO, TABLE, U8 } from "../risp/table.ts";
import { later, pair, pattern, receiveBytes, rejectsWith } from "./pair.ts";

const VOCABULARY = new Vocabulary(TABLE);
const LIMITS = { messageBytes: 1_000, skippedBytes: 1_000 };

function go(value: number): Bytes {
  return new CommandWriter().set(U8, value).verb(GO).done();
}

const PASSAGES: readonly Passage[] = [
  {},
  { readAtMost: 3, writeAtMost: 5 },
  { capacity: 100 },
  { readAtMost: 65_543 },
];

Deno.test("Channel: bodies and sealed bytes arrive as they were sent, in order", async () => {
  for (const rightward of PASSAGES) {
    const slow = rightward.capacity !== undefined ||
      rightward.writeAtMost !== undefined;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.boolean(),
            fc.integer({ min: 1, max: slow ? 300 : 150_000 }),
          ),
          { maxLength: 6 },
        ),
        async (sends) => {
          await using both = await pair({ rightward });
          const { left, right } = both;
          const sending = (async () => {
            for (const [i, [bare, length]] of sends.entries()) {
              const bytes = pattern(length, i);
              await (bare ? left.sendBody(bytes) : left.send(bytes));
            }
            await left.close();
          })();
          for (let i = 0; i < sends.length;) {
            const [bare, length] = sends[i]!;
            if (bare) {
              assertEquals(await right.receiveBody(length), pattern(length, i));
              i++;
              continue;
            }
            // Sealed bytes that follow each other may share a record.
            const sealed: Bytes[] = [];
            for (; i < sends.length && !sends[i]![0]; i++) {
              sealed.push(pattern(sends[i]![1], i));
            }
            const whole = concat(...sealed);
            assertEquals(await receiveBytes(right, whole.length), whole);
          }
          assertEquals(await right.receive(), null);
          await sending;
        },
      ),
      { numRuns: 20 },
    );
  }
});

Deno.test("Channel: a body leaves bare, in records bounded by MAX-PACKET", async () => {
  const records: Bytes[] = [];
  await using both = await pair({
    rightward: {
      edit: (record) => {
        records.push(record.slice());
        return [record];
      },
    },
  });
  const { left, right } = both;
  left.limit(512);
  right.limit(512);
  await left.sendBody(pattern(1_200));
  assertEquals(await right.receiveBody(1_200), pattern(1_200));
  assertEquals(records.map((record) => record.length - 4), [512, 512, 176]);
  assertEquals(records[0]!.subarray(4), pattern(1_200).subarray(0, 512));
  await rejectsWith(
    (async () => {
      left.limit(65_536);
      await left.sendBody(pattern(513));
      await right.receiveBody(513);
    })(),
    "ERR_CHANNEL_VIOLATION",
  );
});

Deno.test("Channel: a body that nobody expects, or none where one is expected, ends the channel", async () => {
  const wrong: readonly ((
    ends: Awaited<ReturnType<typeof pair>>,
  ) => Promise<unknown>)[] = [
    async ({ left, right }) => {
      await left.sendBody(pattern(1));
      await right.receive();
    },
    async ({ left, right }) => {
      await left.send(pattern(10));
      await right.receiveBody(10);
    },
    async ({ left, right }) => {
      await left.sendBody(pattern(11));
      await right.receiveBody(10);
    },
    async ({ left, right }) => {
      await left.sendBody(pattern(5));
      await left.send(pattern(5));
      await right.receiveBody(10);
    },
  ];
  for (const doIt of wrong) {
    await using ends = await pair();
    await rejectsWith(doIt(ends), "ERR_CHANNEL_VIOLATION");
    await rejectsWith(ends.right.send(pattern(1)), "ERR_CHANNEL_CLOSED");
  }
});

Deno.test("Channel: an altered body comes as it is; an altered length, a lost or an inserted body do not", async () => {
  await using altered = await pair({
    rightward: {
      edit: (record) => {
        record[10]! ^= 1;
        return [record];
      },
    },
  });
  await altered.left.sendBody(pattern(100));
  const body = await altered.right.receiveBody(100);
  body[6]! ^= 1;
  assertEquals(body, pattern(100));

  const edits = [
    (record: Bytes) => (record[3]! ^= 1, [record]),
    () => [],
    (record: Bytes) => [record, record],
    (record: Bytes) => (record[0] = 0, [record]),
  ];
  for (const edit of edits) {
    await using ends = await pair({
      rightward: { edit: (record, i) => i === 0 ? edit(record) : [record] },
    });
    const { left, right } = ends;
    await left.sendBody(pattern(100));
    await left.close();
    await rejectsWith(
      right.receiveBody(100).then(() => right.receive()),
      "ERR_CHANNEL_VIOLATION",
      "ERR_CHANNEL_CUT",
      "ERR_CHANNEL_FORGED",
    );
  }
});

Deno.test("Channel: whoever sends bodies is held back by one who does not read", async () => {
  await using both = await pair({ rightward: { capacity: 65_536 } });
  const { left, right } = both;
  let sent = 0;
  const sending = (async () => {
    for (; sent < 40; sent++) await left.sendBody(pattern(65_536, sent));
  })();
  await later(20);
  const held = sent;
  assertEquals(held < 20, true, `${held} bodies taken`);
  for (let i = 0; i < 40; i++) {
    assertEquals(await right.receiveBody(65_536), pattern(65_536, i));
  }
  await sending;
});

Deno.test("CommandChannel: a body follows the message that announces it, and counts", async () => {
  await using both = await pair();
  const left = new CommandChannel(both.left, VOCABULARY, LIMITS);
  const right = new CommandChannel(both.right, VOCABULARY, LIMITS);
  right.budget = 1_000;
  left.send(go(1)).catch(() => {});
  await left.sendWithBody(go(2), pattern(900));
  assertEquals((await right.next())!.need(U8), 1);
  assertEquals((await right.next())!.need(U8), 2);
  assertEquals(await right.body(900), pattern(900));
  await left.sendWithBody(go(3), pattern(100));
  assertEquals((await right.next())!.need(U8), 3);
  await rejectsWith(right.body(100), "ERR_CHANNEL_VIOLATION");
});

Deno.test("CommandChannel: nothing may stand between an announcement and its body", async () => {
  await using both = await pair();
  const left = new CommandChannel(both.left, VOCABULARY, LIMITS);
  const right = new CommandChannel(both.right, VOCABULARY, LIMITS);
  await left.sendWithBody(concat(go(1), go(2)), pattern(10));
  assertEquals((await right.next())!.need(U8), 1);
  await rejectsWith(right.body(10), "ERR_CHANNEL_VIOLATION");
});
