import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { sortByDrop } from "../../../lib/mix/drop/drop_order.ts";
import { concat } from "../../../lib/protocol/mod.ts";
import { seeded } from "../statistics/seeded.ts";

Deno.test("S3.7: payloads are sorted by their drops, and those at one drop stay in order", () => {
  fc.assert(fc.property(
    fc.array(
      // Ids that differ from each other in one byte, wherever it is.
      fc.record({ at: fc.nat(15), value: fc.constantFrom(0, 1, 128, 255) }),
      { maxLength: 60 },
    ),
    fc.integer(),
    (written, seed) => {
      const random = seeded(seed);
      const payloads = written.map(({ at, value }) => {
        const payload = random(512);
        payload.fill(7, 0, 16);
        payload[at] = value;
        return payload;
      });
      const expected = payloads
        .map((payload, i) => ({ id: payload.subarray(0, 16).toHex(), i }))
        .sort((a, b) => a.id < b.id ? -1 : a.id > b.id ? 1 : a.i - b.i)
        .map(({ i }) => i);
      assertEquals([...sortByDrop(concat(...payloads))], expected);
    },
  ));
});
