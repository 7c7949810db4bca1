import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { exchangeAtDrops } from "../../../lib/mix/drop/dead_drops.ts";
import { SEALED_BYTES } from "../../../lib/mix/sizes.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { concat, randomBytes } from "../../../lib/protocol/mod.ts";
import { seeded } from "../statistics/seeded.ts";

/** A payload at the drop whose id is 15 times `low` and then `last`, with `text` in every byte. */
function payload(drop: number, text: number, low = 7): Bytes {
  const bytes = new Uint8Array(512).fill(text);
  bytes.fill(low, 0, 15);
  bytes[15] = drop;
  return bytes;
}

function replyAt(replies: Bytes, i: number): Bytes {
  return replies.slice(i * SEALED_BYTES, (i + 1) * SEALED_BYTES);
}

const text = (value: number) => new Uint8Array(496).fill(value);

Deno.test("S3.7: two at one drop get each other's message, and one alone its own", () => {
  const { replies, ...counts } = exchangeAtDrops(
    concat(payload(1, 10), payload(2, 11), payload(1, 12), payload(3, 13)),
    randomBytes,
  );
  assertEquals(replies, concat(text(12), text(11), text(10), text(13)));
  assertEquals(counts, { singles: 2, pairs: 1, crowds: 0 });
});

Deno.test("S3.7: writers behind the first two get random bytes, and do not disturb them", () => {
  for (const late of [1, 2, 5]) {
    const random = seeded(late);
    const { replies, ...counts } = exchangeAtDrops(
      concat(
        payload(9, 1),
        payload(9, 2),
        ...Array.from({ length: late }, (_, i) => payload(9, 3 + i)),
      ),
      random,
    );
    assertEquals(counts, { singles: 0, pairs: 0, crowds: 1 });
    assertEquals(replyAt(replies, 0), text(2));
    assertEquals(replyAt(replies, 1), text(1));
    const expected = seeded(late);
    for (let i = 0; i < late; i++) {
      assertEquals(replyAt(replies, 2 + i), expected(496));
    }
  }
});

Deno.test("S3.7: ids that differ in one bit, anywhere, are different drops", () => {
  const id = randomBytes(16);
  for (let bit = 0; bit < 128; bit++) {
    const other = id.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    const { replies, ...counts } = exchangeAtDrops(
      concat(id, text(1), other, text(2)),
      randomBytes,
    );
    assertEquals(replies, concat(text(1), text(2)));
    assertEquals(counts, { singles: 2, pairs: 0, crowds: 0 });
  }
});

/** The same, with a map: slow, and by the words of the specification only. */
function naive(payloads: readonly Bytes[]): (Bytes | "random")[] {
  const drops = new Map<string, number[]>();
  payloads.forEach((bytes, i) => {
    const id = bytes.subarray(0, 16).toHex();
    drops.set(id, [...drops.get(id) ?? [], i]);
  });
  const replies: (Bytes | "random")[] = [];
  for (const at of drops.values()) {
    at.forEach((i, nth) => {
      const other = at.length === 1 ? at[0] : nth > 1 ? undefined : at[1 - nth];
      replies[i] = other === undefined ? "random" : payloads[other]!.slice(16);
    });
  }
  return replies;
}

Deno.test("S3.7: any mixture of drops is exchanged as the naive way would", () => {
  fc.assert(fc.property(
    fc.array(
      fc.record({
        drop: fc.nat(12),
        low: fc.constantFrom(0, 1, 128, 255),
        text: fc.nat(255),
      }),
      { maxLength: 40 },
    ),
    (written) => {
      const payloads = written.map((w) => payload(w.drop, w.text, w.low));
      const expected = naive(payloads);
      const late = expected.filter((reply) => reply === "random").length;
      let drawn = 0;
      const { replies, singles, pairs, crowds } = exchangeAtDrops(
        concat(...payloads),
        (length) => {
          drawn++;
          return randomBytes(length);
        },
      );
      assertEquals(replies.length, payloads.length * 496);
      assertEquals(drawn, late);
      expected.forEach((reply, i) => {
        if (reply === "random") {
          for (const { text: value } of written) {
            assertNotEquals(replyAt(replies, i), text(value));
          }
        } else assertEquals(replyAt(replies, i), reply);
      });
      assertEquals(
        singles + 2 * pairs + 2 * crowds + late,
        payloads.length,
      );
    },
  ));
});

/** Every array of bytes and of numbers that is made while `act` runs. */
function arraysMadeBy(act: () => void): (Uint8Array | Uint32Array)[] {
  const made: (Uint8Array | Uint32Array)[] = [];
  const { Uint8Array: ofBytes, Uint32Array: ofNumbers } = globalThis;
  function construct<T extends typeof Uint8Array | typeof Uint32Array>(
    type: T,
    values: unknown[],
  ): Uint8Array | Uint32Array {
    const array = Reflect.construct(type, values);
    made.push(array);
    return array;
  }
  globalThis.Uint8Array = new Proxy(ofBytes, { construct });
  globalThis.Uint32Array = new Proxy(ofNumbers, { construct });
  try {
    act();
  } finally {
    globalThis.Uint8Array = ofBytes;
    globalThis.Uint32Array = ofNumbers;
  }
  return made;
}

Deno.test("S3.7: what the exchange writes down on the way is overwritten, but for the replies", () => {
  const payloads = concat(
    ...[1, 2, 1, 3, 4, 4, 4].map((drop, i) => payload(drop, 10 + i)),
  );
  let replies: Bytes | undefined;
  const made = arraysMadeBy(() => {
    replies = exchangeAtDrops(payloads, () => new Uint8Array(496)).replies;
  });
  const rest = made.filter((array) => array !== replies);
  // The ids and two orders, at least.
  assertEquals(made.length - rest.length, 1);
  assertEquals(rest.filter((array) => array.length === 7 * 16).length, 1);
  assertEquals(rest.filter((array) => array.length === 7).length, 2);
  for (const array of rest) {
    assertEquals(array.every((value) => value === 0), true);
  }
});

Deno.test("S3.7: after the round nothing of it is left", () => {
  const payloads = concat(
    payload(1, 10),
    payload(1, 11),
    payload(1, 12),
    payload(2, 13),
  );
  exchangeAtDrops(payloads, randomBytes);
  assertEquals(payloads, new Uint8Array(4 * 512));
  // Whoever comes to a drop of a round that is over is alone there.
  const { replies, singles } = exchangeAtDrops(payload(2, 14), randomBytes);
  assertEquals(replies, text(14));
  assertEquals(singles, 1);
});

Deno.test("S3.7: a round in which nobody took part, and batches that are none", () => {
  assertEquals(exchangeAtDrops(new Uint8Array(0), randomBytes), {
    replies: new Uint8Array(0),
    singles: 0,
    pairs: 0,
    crowds: 0,
  });
  for (const length of [1, 511, 513, 1_023]) {
    assertThrows(
      () => exchangeAtDrops(new Uint8Array(length), randomBytes),
      RangeError,
    );
  }
});
