import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { receiveAll } from "../../../lib/protocol/channel/channel.ts";
import {
  RECORD_LIMIT,
  RECORD_LIMIT_MINIMUM,
} from "../../../lib/protocol/channel/record.ts";
import { pair, pattern, rejectsWith } from "./pair.ts";
import type { PairOptions } from "./pair.ts";

/** Lengths of the plaintexts of the records on their way to the right. */
function measured(): { lengths: number[]; options: PairOptions } {
  const lengths: number[] = [];
  const edit = (record: Bytes) => {
    lengths.push(record.length - 4 - 16);
    return [record];
  };
  return { lengths, options: { rightward: { edit } } };
}

Deno.test("S2.5: MAX-PACKET goes from 512 to 65,536", async () => {
  assertEquals([RECORD_LIMIT_MINIMUM, RECORD_LIMIT], [512, 65_536]);
  await using both = await pair();
  for (const bad of [-1, 0, 511, 65_537, Infinity, NaN]) {
    assertThrows(() => both.left.limit(bad), RangeError);
  }
  both.left.limit(512);
  both.left.limit(65_536);
});

for (const limit of [512, 513, 1_000, 4_096, 65_535, 65_536]) {
  Deno.test(`S2.5: with MAX-PACKET ${limit} no record holds more, and everything arrives`, async () => {
    const { lengths, options } = measured();
    await using both = await pair(options);
    const { left, right } = both;
    left.limit(limit);
    right.limit(limit);
    const sent = pattern(3 * limit + 7);
    left.send(sent.subarray(0, 10));
    left.send(sent.subarray(10, limit + 5));
    left.send(sent.subarray(limit + 5));
    const closing = left.close();
    assertEquals(await receiveAll(right), sent);
    await closing;
    assert(Math.max(...lengths) <= limit, `${lengths}`);
    assertEquals(lengths.at(-1), 0);
    assertEquals(lengths.reduce((sum, each) => sum + each), sent.length);
  });
}

Deno.test("S2.5: a record above the agreed MAX-PACKET is refused, one as long as it is taken", async () => {
  await using both = await pair();
  const { left, right } = both;
  right.limit(512);
  await left.send(pattern(512));
  assertEquals(await right.receive(), pattern(512));
  await left.send(pattern(513));
  await rejectsWith(right.receive(), "ERR_CHANNEL_VIOLATION");
});

Deno.test("S2.5: a limit that is set while bytes are queued holds for those that are not sealed yet", async () => {
  const { lengths, options } = measured();
  await using both = await pair(options);
  const { left, right } = both;
  left.send(pattern(300_000));
  left.limit(512);
  left.send(pattern(3_000));
  const closing = left.close();
  assertEquals((await receiveAll(right)).length, 303_000);
  await closing;
  assertEquals(lengths.at(-2)! <= 512, true);
  assert(lengths.every((each) => each <= 65_536));
});
