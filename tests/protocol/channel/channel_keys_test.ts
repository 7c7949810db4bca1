import { assertEquals, assertNotEquals } from "@std/assert";
import { concat, utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { receiveAll } from "../../../lib/protocol/channel/channel.ts";
import { pair, pattern, receiveBytes, rejectsWith } from "./pair.ts";
import type { Pair } from "./pair.ts";

const SECRET = utf8("a secret that both know");

for (const rekeyAfter of [1, 2, 3, 7, 16, 17]) {
  Deno.test(`Channel: a new key after every ${rekeyAfter} records goes unnoticed, in both directions at once`, async () => {
    await using both = await pair({ rekeyAfter });
    const { left, right } = both;
    left.limit(1_000);
    right.limit(1_000);
    const [there, back] = [pattern(60_000, 1), pattern(50_000, 2)];
    const [a, b] = await Promise.all([
      receiveBytes(right, there.length),
      receiveBytes(left, back.length),
      left.send(there),
      right.send(back),
    ]);
    assertEquals(a, there);
    assertEquals(b, back);
    await left.close();
    assertEquals(await right.receive(), null);
  });
}

Deno.test("Channel: sides that disagree on when to take a new key do not understand each other", async () => {
  const wire: Bytes[] = [];
  await using one = await pair({
    rekeyAfter: 2,
    rightward: {
      edit: (record) => {
        wire.push(record);
        return [record];
      },
    },
  });
  for (let i = 0; i < 3; i++) {
    await one.left.send(pattern(10, i));
    await one.left.flushed();
  }
  await using other = await pair({ rekeyAfter: 3 });
  for (const record of wire) await other.connection.left.write(record);
  assertEquals(await receiveBytes(other.right, 10), pattern(10, 0));
  assertEquals(await receiveBytes(other.right, 10), pattern(10, 1));
  await rejectsWith(other.right.receive(), "ERR_CHANNEL_FORGED");
});

/** The left side sends the last of the secret; the right side answers under the new keys. */
async function mixBoth({ left, right }: Pair): Promise<void> {
  const mixing = left.mix(SECRET);
  const keys = await mixing;
  left.send(utf8("last"));
  left.use(keys);
  assertEquals(await receiveBytes(right, 4), utf8("last"));
  right.use(await right.mix(SECRET));
  await right.send(utf8("first"));
  assertEquals(await receiveBytes(left, 5), utf8("first"));
}

Deno.test("Channel: a secret mixed in on both sides: before, after, again, in both directions", async () => {
  await using both = await pair();
  const { left, right } = both;
  for (let round = 0; round < 3; round++) {
    await Promise.all([
      left.send(pattern(100_000, round)),
      right.send(pattern(80_000, round)),
      receiveBytes(right, 100_000),
      receiveBytes(left, 80_000),
    ]);
    await mixBoth(both);
  }
  await left.send(pattern(100_000));
  await left.close();
  assertEquals(await receiveAll(right), pattern(100_000));
});

Deno.test("Channel: what was queued before the switch is sealed under the old keys, to the last byte", async () => {
  await using both = await pair();
  const { left, right } = both;
  const keys = await left.mix(SECRET);
  const before = Array.from({ length: 50 }, (_, i) => pattern(3_000, i));
  const sends = before.map((each) => left.send(each));
  left.use(keys);
  sends.push(left.send(utf8("after")));
  const whole = concat(...before);
  // The right side knows nothing of the switch yet: all of this is for the old keys.
  assertEquals(await receiveBytes(right, whole.length), whole);
  await rejectsWith(right.receive(), "ERR_CHANNEL_FORGED");
  await Promise.allSettled(sends);
});

Deno.test("S2.7: sides that mixed different secrets, or only one of which mixed, do not understand each other", async () => {
  await using different = await pair();
  different.left.use(await different.left.mix(SECRET));
  different.right.use(await different.right.mix(utf8("another")));
  await different.left.send(pattern(10));
  await rejectsWith(different.right.receive(), "ERR_CHANNEL_FORGED");
  await using one = await pair();
  one.left.use(await one.left.mix(SECRET));
  await one.left.send(pattern(10));
  await rejectsWith(one.right.receive(), "ERR_CHANNEL_FORGED");
});

Deno.test("Channel: mixing alone changes nothing", async () => {
  await using both = await pair();
  const { left, right } = both;
  await left.mix(SECRET);
  await left.send(pattern(10));
  assertEquals(await right.receive(), pattern(10));
});

Deno.test("Channel: the two directions have different keys after a mix as before", async () => {
  const wires: Bytes[][] = [[], []];
  const tap = (at: number) => ({
    edit: (record: Bytes) => {
      wires[at]!.push(record);
      return [record];
    },
  });
  await using both = await pair({ rightward: tap(0), leftward: tap(1) });
  await mixBoth(both);
  await both.left.send(pattern(10));
  await both.right.send(pattern(10));
  await both.left.flushed();
  await both.right.flushed();
  assertEquals(wires.map((each) => each.length), [2, 2]);
  assertNotEquals(wires[0]![1], wires[1]![1]);
});

Deno.test("Channel: keys that are mixed rekey as others do, and grow out of the key in use", async () => {
  await using both = await pair({ rekeyAfter: 4 });
  const { left, right } = both;
  for (let round = 0; round < 5; round++) {
    await mixBoth(both);
    // Leaves the counters where the next "last" and "first" change no key.
    for (let i = 0; i < 4 * round + 2; i++) {
      await Promise.all([left.send(pattern(10, i)), right.send(pattern(9, i))]);
      assertEquals(await receiveBytes(right, 10), pattern(10, i));
      assertEquals(await receiveBytes(left, 9), pattern(9, i));
    }
  }
});
