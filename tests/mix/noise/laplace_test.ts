import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { drawLaplace } from "../../../lib/mix/noise/laplace.ts";
import type { RandomSource } from "../../../lib/protocol/mod.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { seeded } from "../statistics/seeded.ts";

/** Gives these numbers as draws of 6 bytes, each of which is below every limit, and then fails. */
function numbers(...given: number[]): RandomSource {
  const left = [...given];
  return (length) => {
    const number = left.shift();
    assert(number !== undefined, "more numbers were asked for");
    assertEquals(length, 6);
    const bytes = new Uint8Array(6);
    new DataView(bytes.buffer).setUint32(2, number);
    return bytes;
  };
}

Deno.test("S3.6: a draw of noise, step by step as in the paper", () => {
  // The remainder; the run of events that accepts it (of odd length); one such run for every whole scale,
  // a run of even length behind them; the sign.
  for (
    const [drawn, mean, scale, expected] of [
      // exp(-0/5) is 1: the first event never happens.
      [[0, 0, /* no whole: 0 < 1, 1 >= 1 */ 0, 1, /* plus */ 0], 20, 5, 20],
      [
        [0, 0, /* one whole: 0 < 1, 0 < 1, 2 >= 1 */ 0, 0, 2, 0, 1, 0],
        20,
        5,
        25,
      ],
      [[3, 3, 0, 1, 0], 20, 5, 23],
      [[3, 3, 0, 1, /* minus */ 1], 20, 5, 17],
      // 2 of 5 happens, 4 of 10 does not: a run of two rejects the remainder 3.
      [[3, 2, 4, /* again */ 1, 4, 0, 1, 1], 20, 5, 19],
      // Minus nothing is drawn again.
      [[0, 0, 0, 1, 1, /* again */ 1, 1, 0, 1, 0], 20, 5, 21],
      // Never below 0.
      [[4, 4, 0, 1, 1], 3, 5, 0],
      [[4, 4, 0, 1, 1], 4, 5, 0],
      [[4, 4, 0, 1, 1], 5, 5, 1],
    ] as const
  ) {
    assertEquals(drawLaplace(mean, scale, numbers(...drawn)), expected);
  }
});

Deno.test("S3.6: half a scale is exact, odd or not", () => {
  // Of 5 halves, one whole scale and 4 more are 9 halves: 4.
  const drawn = [4, 4, 0, 0, 2, 0, 1, 0];
  assertEquals(drawLaplace(10, 5, numbers(...drawn), 2), 14);
  assertEquals(drawLaplace(10, 5, numbers(...drawn), 1), 19);
});

Deno.test("S3.6: noise is a whole number from 0 on, and the same for the same random bytes", () => {
  fc.assert(fc.property(
    fc.nat(1_000_000),
    fc.integer({ min: 1, max: 100_000 }),
    fc.constantFrom(1 as const, 2 as const),
    fc.integer(),
    (mean, scale, divisor, seed) => {
      const drawn = drawLaplace(mean, scale, seeded(seed), divisor);
      assert(Number.isSafeInteger(drawn) && drawn >= 0);
      assertEquals(drawn, drawLaplace(mean, scale, seeded(seed), divisor));
      // exp(-60): no seed gets there.
      assert(Math.abs(drawn - mean) < 60 * scale);
    },
  ));
});

Deno.test("S3.6: means and scales at their bounds, and beyond", () => {
  for (
    const [mean, scale, isDrawn] of [
      [0, 1, true],
      [1_000_000, 100_000, true],
      [-1, 1, false],
      [1_000_001, 1, false],
      [0.5, 1, false],
      [NaN, 1, false],
      [0, 0, false],
      [1, 0, false],
      [1, -1, false],
      [1, 100_001, false],
      [1, 1.5, false],
      [1, Infinity, false],
    ] as const
  ) {
    if (isDrawn) assert(drawLaplace(mean, scale, randomBytes) >= 0);
    else {
      assertThrows(() => drawLaplace(mean, scale, randomBytes), RangeError);
    }
  }
});
