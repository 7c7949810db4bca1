import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MixError } from "../../../lib/mix/mix_error.ts";
import { Permutation } from "../../../lib/mix/shuffle/permutation.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { concat, randomBytes, u32 } from "../../../lib/protocol/mod.ts";
import { seeded } from "../statistics/seeded.ts";

function numbers(length: number): Bytes {
  return concat(...Array.from({ length }, (_, i) => u32(i)));
}

function elements(batch: Bytes, size: number): string[] {
  return Array.from(
    { length: batch.length / size },
    (_, i) => batch.subarray(i * size, (i + 1) * size).join(),
  );
}

/** Gives these words, then fails. */
function words(...given: number[]): (length: number) => Bytes {
  let left = given;
  return (length) => {
    const bytes = concat(...left.slice(0, length / 4).map(u32));
    assertEquals(bytes.length, length, "more words were asked for");
    left = left.slice(length / 4);
    return bytes;
  };
}

Deno.test("S3.6: what is shuffled is all there, and comes back to its place, at any length", () => {
  for (const length of [0, 1, 2, 3, 31, 4_096, 4_097, 4_098, 10_000]) {
    const batch = numbers(length);
    const order = Permutation.random(length, randomBytes);
    assertEquals(order.length, length);
    const shuffled = order.apply(batch, 4);
    assertEquals(elements(shuffled, 4).sort(), elements(batch, 4).sort());
    assertEquals(order.undo(shuffled, 4), batch);
    assertEquals(order.apply(order.undo(batch, 4), 4), batch);
    if (length > 30) assertNotEquals(shuffled, batch);
  }
});

Deno.test("S3.6: replies of another length go back the way that the onions came", () => {
  fc.assert(fc.property(
    fc.nat(60),
    fc.integer({ min: 0, max: 40 }),
    fc.integer(),
    (length, size, seed) => {
      const order = Permutation.random(length, seeded(seed));
      const onions = order.apply(numbers(length), 4);
      // The next mix answers onion n with bytes that start with n.
      const replies = concat(
        ...elements(onions, 4).map((onion) => {
          const reply = new Uint8Array(4 + size);
          reply.set(onion.split(",").map(Number));
          return reply;
        }),
      );
      elements(order.undo(replies, 4 + size), 4 + size).forEach((reply, i) => {
        assertEquals(reply.split(",").slice(0, 4).join(), u32(i).join());
      });
      assertEquals(order.apply(new Uint8Array(0), 0), new Uint8Array(0));
    },
  ));
});

Deno.test("S3.6: the shuffle is Fisher and Yates's, word by word", () => {
  // Places 3, 2, 1 are swapped with 1, 2 and 0: 0123 → 0321 → 0321 → 3021.
  const order = Permutation.random(4, words(1, 5, 2));
  assertEquals(elements(order.apply(numbers(4), 4), 4), [
    "0,0,0,3",
    "0,0,0,0",
    "0,0,0,2",
    "0,0,0,1",
  ]);
});

Deno.test("S3.6: words that would make some orders likelier are thrown away", () => {
  // 2^32 is 1 more than a multiple of 3: the word 2^32 - 1 would be a second 0.
  const thrown = Permutation.random(3, words(2 ** 32 - 1, 4, 1, 7));
  const same = Permutation.random(3, words(1, 1));
  assertEquals(thrown.apply(numbers(3), 4), same.apply(numbers(3), 4));
  const kept = Permutation.random(3, words(2 ** 32 - 2, 1));
  const two = Permutation.random(3, words(2, 1));
  assertEquals(kept.apply(numbers(3), 4), two.apply(numbers(3), 4));
});

Deno.test("S3.6: every order of four comes, about equally often", () => {
  const random = seeded(4);
  const counts = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const order = Permutation.random(4, random).apply(numbers(4), 4).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 24);
  for (const count of counts.values()) {
    // Eight standard deviations (31 each).
    assertEquals(Math.abs(count - 1_000) < 248, true, `${count} of 1,000`);
  }
});

Deno.test("S3.6: an erased order shuffles nothing more, and its random words are gone", () => {
  const drawn: Bytes[] = [];
  const order = Permutation.random(5_000, (length) => {
    const bytes = randomBytes(length);
    drawn.push(bytes);
    return bytes;
  });
  assertEquals(drawn.length >= 2, true);
  for (const bytes of drawn) assertEquals(bytes.every((b) => b === 0), true);
  order.erase();
  order.erase();
  for (const use of [order.apply, order.undo]) {
    const error = assertThrows(
      () => use.call(order, numbers(5_000), 4),
      MixError,
    );
    assertEquals(error.code, "ERR_MIX_ROUND");
  }
});

Deno.test("S3.6: batches of another length, and lengths that are none, are refused", () => {
  const order = Permutation.random(3, randomBytes);
  for (
    const [bytes, size] of [
      [11, 4],
      [13, 4],
      [0, 4],
      [12, 5],
      [12, -4],
      [
        12,
        NaN,
      ],
      [6, 2.5],
      [1, 0],
    ]
  ) {
    assertThrows(() => order.apply(new Uint8Array(bytes!), size!), RangeError);
    assertThrows(() => order.undo(new Uint8Array(bytes!), size!), RangeError);
  }
  for (const length of [-1, 0.5, NaN, Infinity, 2 ** 24 + 1]) {
    assertThrows(() => Permutation.random(length, randomBytes), RangeError);
  }
});
