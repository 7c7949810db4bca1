import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { FLAG_GUARD, FLAG_MIDDLE_ONLY } from "../../../lib/directory/mod.ts";
import type { ConsensusRelay } from "../../../lib/directory/mod.ts";
import {
  indexOf,
  PERIOD_SECONDS,
  periodAt,
  storesOf,
} from "../../../lib/onion/service/service_ring.ts";
import { concat, sha256, u64, utf8 } from "../../../lib/protocol/mod.ts";
import { idsOf, printOf, relay } from "../path/relays.ts";

const DAY = PERIOD_SECONDS;

/** A fingerprint that begins with this number. */
function printWith(offset: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, offset);
  return bytes;
}

Deno.test("service ring: a period is a day, which begins at another moment for every service", () => {
  const table: [number, number, number][] = [
    [0, 0, 0],
    [0, DAY - 1, 0],
    [0, DAY, 1],
    [1, DAY - 2, 0],
    [1, DAY - 1, 1],
    [DAY - 1, 0, 0],
    [DAY - 1, 1, 1],
    [DAY, DAY - 1, 0],
    [0xffffffff, 0, 0],
    [0xffffffff, DAY - 0xffffffff % DAY, 1],
    [0, 20_000 * DAY, 20_000],
  ];
  for (const [offset, now, period] of table) {
    assertEquals(periodAt(printWith(offset), now), period, `${offset} ${now}`);
  }
});

Deno.test("service ring: an index is of one service in one period, as the specification has it", async () => {
  const index = await indexOf(printOf(1), 20_000);
  assertEquals(
    index,
    await sha256(
      concat(utf8("sotto service index v1\0"), printOf(1), u64(20_000n)),
    ),
  );
  assertNotEquals(index, await indexOf(printOf(2), 20_000));
  assertNotEquals(index, await indexOf(printOf(1), 20_001));
});

/** The four that follow, found by going through all of them again and again. */
async function naive(
  ids: readonly number[],
  index: Uint8Array,
  period: number,
): Promise<number[]> {
  const label = utf8("sotto service ring v1\0");
  const places = new Map<number, string>();
  for (const id of ids) {
    const input = concat(label, printOf(id), u64(BigInt(period)));
    places.set(id, (await sha256(input)).toHex());
  }
  const chosen: number[] = [];
  for (let from = index.toHex(); chosen.length < 4;) {
    let best: number | undefined;
    for (const id of ids) {
      if (chosen.includes(id)) continue;
      const place = places.get(id)!;
      const behind = best === undefined ? undefined : places.get(best)!;
      if (place >= from && (behind === undefined || place < behind)) best = id;
    }
    if (best === undefined) {
      if (from === "" || chosen.length === ids.length) break;
      from = "";
      continue;
    }
    chosen.push(best);
  }
  return chosen;
}

Deno.test("service ring: the next four relays keep what lies under an index, around the ring", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat({ max: 1_000 }), { maxLength: 12 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.nat({ max: 30_000 }),
      async (ids, bytes, period) => {
        const index = new Uint8Array(bytes);
        const relays = ids.map((id) => relay({ id }));
        const stores = await storesOf(relays, index, period);
        assertEquals(idsOf(stores), await naive(ids, index, period));
        const shuffled = relays.toReversed();
        assertEquals(await storesOf(shuffled, index, period), stores);
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("service ring: a relay whose place is the index itself is the first", async () => {
  const relays = [1, 2, 3, 4, 5, 6].map((id) => relay({ id }));
  for (const { descriptor } of relays) {
    const { fingerprint } = descriptor.identity;
    const label = utf8("sotto service ring v1\0");
    const place = await sha256(concat(label, fingerprint, u64(7n)));
    const [first] = await storesOf(relays, place, 7);
    assertEquals(first!.descriptor.identity.fingerprint, fingerprint);
  }
});

Deno.test("service ring: relays at which no circuit ends keep nothing, and there may be few", async () => {
  const index = await indexOf(printOf(1), 1);
  const all: ConsensusRelay[] = [1, 2, 3, 4, 5, 6].map((id) =>
    relay({ id, flags: id % 2 ? FLAG_GUARD : FLAG_MIDDLE_ONLY })
  );
  assertEquals(idsOf(await storesOf(all, index, 1)).sort(), [1, 3, 5]);
  assertEquals(await storesOf([], index, 1), []);
});

Deno.test("service ring: other relays keep it in the next period", async () => {
  const relays = Array.from({ length: 64 }, (_, id) => relay({ id }));
  const stores = await Promise.all(
    Array.from({ length: 20 }, async (_, period) => {
      const index = await indexOf(printOf(1), period);
      return idsOf(await storesOf(relays, index, period)).join();
    }),
  );
  assert(new Set(stores).size > 15);
});
