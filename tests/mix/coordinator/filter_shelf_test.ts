import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FilterShelf } from "../../../lib/mix/coordinator/filter_shelf.ts";

const filter = (length: number) => [new Uint8Array(length)];

Deno.test("S3.6: the first dialing round after a start is found, whatever the order in which rounds ended", () => {
  fc.assert(fc.property(
    fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 1 }),
    fc.integer({ min: -1, max: 501 }),
    (starts, asked) => {
      const shelf = new FilterShelf(1_000, 1_000_000);
      for (const start of starts) {
        shelf.put({ start, filters: filter(1) }, 500);
      }
      const after = starts.filter((start) => start > asked).sort((a, b) =>
        a - b
      );
      assertEquals(shelf.next(asked)?.start, after[0]);
    },
  ));
});

Deno.test("S3.6: filters are let go of when they are too old, to the millisecond", () => {
  const shelf = new FilterShelf(1_000, 1_000_000);
  shelf.put({ start: 0, filters: filter(10) }, 500);
  shelf.put({ start: 400, filters: filter(10) }, 1_000);
  assertEquals(shelf.rounds, 2);
  shelf.put({ start: 1_000, filters: filter(10) }, 1_001);
  assertEquals([shelf.rounds, shelf.next(-1)?.start], [2, 400]);
});

Deno.test("S3.6: filters never take more room than they are given, and the youngest stay", () => {
  const shelf = new FilterShelf(1e12, 10_000);
  for (let start = 0; start < 1_000; start++) {
    shelf.put({ start, filters: filter(start % 700) }, start);
    assert(shelf.bytes <= 10_000);
    assertEquals(shelf.next(start - 1)?.start, start);
  }
  shelf.put({ start: 1_000, filters: filter(20_000) }, 1_000);
  assertEquals([shelf.rounds, shelf.bytes], [0, 0]);
});
