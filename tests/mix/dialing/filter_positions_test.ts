import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { positionsOf } from "../../../lib/mix/dialing/filter_positions.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { bound } from "../statistics/chi_square.ts";
import { seeded } from "../statistics/seeded.ts";

const WORD = 2n ** 32n;

/** The same by the words of the specification, in integers without an end. */
function naive(token: Bytes, bits: number): number[] {
  return [token.slice(0, 16), token.slice(16)].flatMap((half) => {
    let [a, b, c, counter] = [0, 4, 8, 12].map((at) =>
      BigInt("0x" + half.slice(at, at + 4).toHex())
    ) as [bigint, bigint, bigint, bigint];
    return Array.from({ length: 15 }, () => {
      const drawn = (a + b + counter) % WORD;
      counter = (counter + 1n) % WORD;
      a = b ^ b / 2n ** 9n;
      b = (c + c * 8n) % WORD;
      c = (c * 2n ** 21n % WORD + c / 2n ** 11n + drawn) % WORD;
      return Number(drawn % BigInt(bits));
    });
  });
}

const token = fc.uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => new Uint8Array(bytes));

Deno.test("S3.8: the bits of a token are those of the specification, for any token and size", () => {
  fc.assert(fc.property(
    token,
    fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    (one, bits) => assertEquals([...positionsOf(one, bits)], naive(one, bits)),
  ));
  for (const fill of [0, 0xff]) {
    const edge = new Uint8Array(32).fill(fill);
    for (const bits of [1, 4_096, 2 ** 23, 2 ** 32 - 1]) {
      assertEquals([...positionsOf(edge, bits)], naive(edge, bits));
    }
  }
});

Deno.test("S3.8: a token is read where it lies, and not a byte beside it", () => {
  const around = seeded(1)(40);
  const inside = around.subarray(3, 35);
  assertEquals(positionsOf(inside, 4_096), positionsOf(inside.slice(), 4_096));
});

Deno.test("S3.8: every bit of a token moves its bits in the filter", () => {
  const one = seeded(2)(32);
  for (let bit = 0; bit < 256; bit++) {
    const other = one.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    assertNotEquals(positionsOf(other, 65_536), positionsOf(one, 65_536));
  }
});

Deno.test("S3.8: no place in the filter is likelier than another, for each of the 30 bits of a token", () => {
  const random = seeded(4);
  const [tokens, places] = [20_000, 64];
  const counts = Array.from({ length: 30 }, () => new Float64Array(places));
  for (let i = 0; i < tokens; i++) {
    positionsOf(random(32), places).forEach((at, nth) => counts[nth]![at]!++);
  }
  const expected = tokens / places;
  for (const row of counts) {
    const squares = row.reduce((sum, n) => sum + (n - expected) ** 2, 0);
    assert(squares / expected <= bound(places - 1), `${squares / expected}`);
  }
});
