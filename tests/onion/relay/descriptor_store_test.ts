import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DescriptorStore } from "../../../lib/onion/relay/descriptor_store.ts";
import { BLOBS_LIMIT } from "../../../lib/onion/service/service_message.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";

const HOURS_3 = 10_800_000;

function bytesOf(number: number): Bytes {
  return new Uint8Array(32).fill(number);
}

function all(store: DescriptorStore, index: number): (number | undefined)[] {
  return Array.from(
    { length: BLOBS_LIMIT },
    (_, place) => store.get(bytesOf(index), place)?.[0],
  );
}

Deno.test("descriptor store: the newest four of an index are kept, the newest first", () => {
  const store = new DescriptorStore(() => 0);
  assertEquals(all(store, 1), [undefined, undefined, undefined, undefined]);
  for (let i = 1; i <= 6; i++) store.put(bytesOf(1), bytesOf(i));
  assertEquals(all(store, 1), [6, 5, 4, 3]);
  assertEquals(all(store, 2), [undefined, undefined, undefined, undefined]);
  assertEquals(store.get(bytesOf(1), 4), undefined);
  assertEquals(store.size, 4);
});

Deno.test("descriptor store: nothing is kept for more than three hours", () => {
  let now = 0;
  const store = new DescriptorStore(() => now);
  store.put(bytesOf(1), bytesOf(1));
  now = 1;
  store.put(bytesOf(1), bytesOf(2));
  now = HOURS_3 - 1;
  assertEquals(all(store, 1).slice(0, 2), [2, 1]);
  now = HOURS_3;
  assertEquals(all(store, 1).slice(0, 2), [2, undefined]);
  assertEquals(store.size, 1);
  now = HOURS_3 + 1;
  assertEquals(all(store, 1)[0], undefined);
  assertEquals(store.size, 0);
});

Deno.test("S4: descriptors without end push out those that were written longest ago", () => {
  const store = new DescriptorStore(() => 0, 3);
  store.put(bytesOf(1), bytesOf(10));
  store.put(bytesOf(2), bytesOf(20));
  store.put(bytesOf(3), bytesOf(30));
  // The first is written again, so that the second has gone longest without.
  store.put(bytesOf(1), bytesOf(11));
  assertEquals(all(store, 1).slice(0, 2), [11, 10]);
  assertEquals(all(store, 2)[0], undefined);
  assertEquals(all(store, 3)[0], 30);
  assertEquals(store.size, 3);
});

Deno.test("descriptor store: it does what a plain list would do", () => {
  const step = fc.record({
    index: fc.nat({ max: 4 }),
    blob: fc.nat({ max: 255 }),
    wait: fc.nat({ max: HOURS_3 / 4 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let now = 0;
      const store = new DescriptorStore(() => now, 1_000);
      const list: { index: number; blob: number; until: number }[] = [];
      for (const { index, blob, wait } of steps) {
        now += wait;
        store.put(bytesOf(index), bytesOf(blob));
        list.unshift({ index, blob, until: now + HOURS_3 });
        for (let each = 0; each <= 4; each++) {
          const expected = list.filter((entry) => entry.index === each)
            .slice(0, BLOBS_LIMIT).filter(({ until }) => until > now)
            .map((entry) => entry.blob);
          const kept = all(store, each).filter((one) => one !== undefined);
          assertEquals(kept, expected);
        }
      }
    }),
    { numRuns: 100 },
  );
});
