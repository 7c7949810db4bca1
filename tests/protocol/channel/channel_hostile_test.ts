import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { u32 } from "../../../lib/protocol/bytes/bytes.ts";
import { ChannelError } from "../../../lib/protocol/channel/errors.ts";
import type { RecordEdit } from "../../support/memory_stream.ts";
import { memoryInUse } from "../../hostile/memory.ts";
import { pair, pattern, rejectsWith } from "./pair.ts";

/** What the receiver gets of `count` records of 10 bytes that pass an edit, until it gives up. */
async function received(
  edit: RecordEdit,
  count = 5,
): Promise<{ pieces: Bytes[]; error: ChannelError }> {
  await using both = await pair({ rightward: { edit } });
  const { left, right, connection } = both;
  for (let i = 0; i < count; i++) {
    await left.send(pattern(10, i));
    await left.flushed();
  }
  connection.cut();
  const pieces: Bytes[] = [];
  for (;;) {
    try {
      const piece = await right.receive();
      assert(piece !== null, "no CLOSE was sent");
      pieces.push(piece);
    } catch (error) {
      assert(error instanceof ChannelError);
      return { pieces, error };
    }
  }
}

/** The first `count` records as they were sent. */
const first = (count: number): Bytes[] =>
  Array.from({ length: count }, (_, i) => pattern(10, i));

Deno.test("Channel: left alone, the records of these tests arrive", async () => {
  const { pieces, error } = await received((record) => [record]);
  assertEquals(pieces, first(5));
  assertEquals(error.code, "ERR_CHANNEL_CUT");
});

Deno.test("Channel: a flipped bit anywhere in a record ends the channel, and nothing from there on is read", async () => {
  const codes = new Map<string, number>();
  for (let bit = 0; bit < (4 + 10 + 16) * 8; bit++) {
    const { pieces, error } = await received((record, index) => {
      if (index === 1) record[bit >> 3]! ^= 1 << (bit & 7);
      return [record];
    }, 3);
    assertEquals(pieces, first(1), `bit ${bit}`);
    codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
    // All of the body and what was sealed; of the length, what it happened to announce.
    if (bit >= 32) assertEquals(error.code, "ERR_CHANNEL_FORGED");
  }
  assertEquals([...codes.keys()].sort(), [
    "ERR_CHANNEL_CUT",
    "ERR_CHANNEL_FORGED",
    "ERR_CHANNEL_VIOLATION",
  ]);
});

Deno.test("Channel: records that change places are refused", async () => {
  let held: Bytes | undefined;
  const { pieces, error } = await received((record, index) => {
    if (index === 1) {
      held = record;
      return [];
    }
    return index === 2 ? [record, held!] : [record];
  });
  assertEquals(pieces, first(1));
  assertEquals(error.code, "ERR_CHANNEL_FORGED");
});

Deno.test("Channel: a record that comes twice, at once or later, is refused", async () => {
  const atOnce = await received((record) => [record, record]);
  assertEquals(atOnce.pieces, first(1));
  assertEquals(atOnce.error.code, "ERR_CHANNEL_FORGED");
  let kept: Bytes | undefined;
  const later = await received((record, index) => {
    if (index === 0) kept = record;
    return index === 3 ? [kept!] : [record];
  });
  assertEquals(later.pieces, first(3));
  assertEquals(later.error.code, "ERR_CHANNEL_FORGED");
});

Deno.test("Channel: a record that is left out makes the next one unreadable", async () => {
  for (let gone = 0; gone < 4; gone++) {
    const { pieces, error } = await received((record, index) =>
      index === gone ? [] : [record]
    );
    assertEquals(pieces, first(gone));
    assertEquals(error.code, "ERR_CHANNEL_FORGED");
  }
});

Deno.test("Channel: a record cut at any byte takes the next one's bytes and is refused", async () => {
  for (let keep = 4; keep < 4 + 10 + 16; keep++) {
    const { pieces, error } = await received((record, index) =>
      index === 1 ? [record.slice(0, keep)] : [record]
    );
    assertEquals(pieces, first(1));
    assertEquals(error.code, "ERR_CHANNEL_FORGED", `${keep} bytes`);
  }
});

Deno.test("Channel: a record that is split in two, or joined with the next, is refused", async () => {
  const split = await received((record, index) => {
    if (index !== 1) return [record];
    const body = record.slice(4);
    const half = body.length / 2;
    return [
      u32(16),
      body.slice(0, half),
      body.slice(0, 16 - half),
      u32(16),
      body.slice(0, 16),
    ];
  });
  assertEquals(split.pieces, first(1));
  assertEquals(split.error.code, "ERR_CHANNEL_FORGED");
  let held: Bytes | undefined;
  const joined = await received((record, index) => {
    if (index === 1) {
      held = record;
      return [];
    }
    if (index !== 2) return [record];
    return [u32(52), held!.slice(4), record.slice(4)];
  });
  assertEquals(joined.pieces, first(1));
  assertEquals(joined.error.code, "ERR_CHANNEL_FORGED");
});

Deno.test("Channel: its own records, sent back, are refused", async () => {
  const own: Bytes[] = [];
  await using both = await pair({
    rightward: {
      edit: (record) => {
        own.push(record);
        return [record];
      },
    },
    leftward: { edit: () => own.splice(0) },
  });
  const { left, right } = both;
  await left.send(pattern(10));
  assertEquals(await right.receive(), pattern(10));
  await right.send(pattern(10));
  await rejectsWith(left.receive(), "ERR_CHANNEL_FORGED");
});

Deno.test("Channel: records of another connection with other keys are refused", async () => {
  await using other = await pair({ rekeyAfter: 1 });
  await other.left.send(pattern(10));
  await other.left.flushed();
  await other.left.send(pattern(10));
  await other.left.flushed();
  const wire = new Uint8Array(60);
  await other.connection.right.read(wire);
  await other.connection.right.read(wire.subarray(30));
  const { pieces, error } = await received(
    (record, index) => index === 1 ? [wire.slice(30)] : [record],
  );
  assertEquals(pieces, first(1));
  assertEquals(error.code, "ERR_CHANNEL_FORGED");
});

for (
  const length of [0, 1, 15, 65_536 + 17, 0x00ffffff, 0x7fffffff, 0xffffffff]
) {
  Deno.test(`Channel: a record that announces ${length} bytes is refused at once, and nothing is made for it`, async () => {
    const before = memoryInUse().live;
    await using both = await pair();
    const { right, connection } = both;
    await connection.left.write(u32(length));
    await rejectsWith(right.receive(), "ERR_CHANNEL_VIOLATION");
    assert(connection.right.closed);
    assert(memoryInUse().live - before < 1_048_576);
  });
}

Deno.test("Channel: the shortest and the longest record that may be announced are waited for", async () => {
  for (const length of [16, 65_536 + 16]) {
    await using both = await pair();
    const { right, left, connection } = both;
    await connection.left.write(u32(length));
    await connection.left.write(new Uint8Array(15));
    connection.cut();
    await rejectsWith(right.receive(), "ERR_CHANNEL_CUT");
    left.abort();
  }
});

Deno.test("Channel: what was whole before the first bad record is still given out, whatever was read with it", async () => {
  for (let bad = 0; bad < 40; bad += 3) {
    const { pieces, error } = await received((record, index) => {
      if (index === bad) record[4]! ^= 1;
      return [record];
    }, 40);
    assertEquals(pieces, first(bad));
    assertEquals(error.code, "ERR_CHANNEL_FORGED");
  }
});
