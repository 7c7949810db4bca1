import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { GrowingBatch } from "../../../lib/mix/layer/growing_batch.ts";
import { concat, MalformedError } from "../../../lib/protocol/mod.ts";

Deno.test("a batch holds what was added, however it came, and pieces stay where they are", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.nat(130), { maxLength: 6 }),
      (size, counts) => {
        const batch = new GrowingBatch(size);
        const added = [];
        let first: Uint8Array | undefined;
        for (const [i, count] of counts.entries()) {
          const pieces = new Uint8Array(count * size).map((_, j) => i + 3 * j);
          batch.add(pieces);
          added.push(pieces);
          if (batch.count > 0) first ??= batch.at(0);
        }
        const all = concat(...added);
        assertEquals(batch.count * size, all.length);
        for (let place = 0; place < batch.count; place++) {
          assertEquals(
            batch.at(place),
            all.slice(place * size, (place + 1) * size),
          );
        }
        if (first !== undefined) {
          first.fill(7);
          assertEquals(batch.at(0), first);
        }
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("pieces that are not whole are refused, and none of them is kept", () => {
  const batch = new GrowingBatch(8);
  for (const length of [1, 7, 9, 15]) {
    assertThrows(() => batch.add(new Uint8Array(length)), MalformedError);
  }
  assertEquals(batch.count, 0);
});

Deno.test("what is erased is overwritten, also for those who still hold it", () => {
  const batch = new GrowingBatch(8);
  batch.add(new Uint8Array(8 * 100).fill(5));
  const held = [batch.at(0), batch.at(63), batch.at(64), batch.at(99)];
  batch.erase();
  for (const piece of held) assertEquals(piece, new Uint8Array(8));
  assertEquals(batch.count, 100);
});
