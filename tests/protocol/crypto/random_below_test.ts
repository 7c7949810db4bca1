import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { randomBelow, randomBytes } from "../../../lib/protocol/mod.ts";
import { draws } from "../../onion/path/relays.ts";

const DRAWN = 2 ** 48;

Deno.test("random number: the remainder of what is drawn", () => {
  for (const [drawn, limit] of [[0, 1], [5, 1], [5, 6], [6, 6], [13, 6]]) {
    assertEquals(randomBelow(limit!, draws(drawn!)), drawn! % limit!);
  }
  assertEquals(randomBelow(2 ** 47, draws(DRAWN - 1)), 2 ** 47 - 1);
});

Deno.test("random number: draws that would make some numbers likelier are thrown away", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 47 }), (limit) => {
    const odd = DRAWN % limit;
    const last = DRAWN - odd - 1;
    assertEquals(randomBelow(limit, draws(last)), limit - 1);
    if (odd === 0) return;
    assertEquals(randomBelow(limit, draws(last + 1, DRAWN - 1, 1)), 1);
  }));
});

Deno.test("random number: every number comes, about equally often", () => {
  const counts = Array<number>(6).fill(0);
  for (let i = 0; i < 6_000; i++) counts[randomBelow(6, randomBytes)]!++;
  // Eight standard deviations (29 each) from 1,000: by chance once in 10^15 runs.
  for (const count of counts) {
    assert(Math.abs(count - 1_000) < 232, `${counts}`);
  }
});

Deno.test("random number: limits that are none are refused", () => {
  for (const limit of [0, -1, 0.5, NaN, 2 ** 47 + 1, Infinity]) {
    assertThrows(() => randomBelow(limit, randomBytes), RangeError);
  }
});
