import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TokenBuckets } from "../../lib/net/mod.ts";
import { memoryInUse } from "../hostile/memory.ts";

Deno.test("TokenBuckets: a burst at once, then one at a time as they come", () => {
  const buckets = new TokenBuckets({ perSecond: 2, burst: 3 });
  assertEquals([1, 2, 3].map(() => buckets.take("a", 0)), [0, 0, 0]);
  assertEquals(buckets.take("a", 0), 500);
  assertEquals(buckets.take("a", 250), 250);
  assertEquals(buckets.take("a", 500), 0);
  assertEquals(buckets.take("a", 500), 500);
  assertEquals(buckets.take("a", 10_000), 0);
});

Deno.test("TokenBuckets: every key has its own; a clock that goes back gives nothing", () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
  assertEquals(buckets.take("a", 1_000), 0);
  assertEquals(buckets.take("b", 1_000), 0);
  assertEquals(buckets.take("a", 0), 1_000);
  assertEquals(buckets.take("a", 1_000), 0);
});

Deno.test("TokenBuckets: no more get through in any time than the rate and one burst allow, and whoever waits as told gets through", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 20 }),
    fc.array(fc.nat(500), { minLength: 1, maxLength: 200 }),
    (perSecond, burst, gaps) => {
      const buckets = new TokenBuckets({ perSecond, burst });
      let now = 0;
      let taken = 0;
      for (const gap of gaps) {
        now += gap;
        const wait = buckets.take("a", now);
        if (wait === 0) taken++;
        else if (gap % 2 === 0) {
          now += wait;
          assertEquals(buckets.take("a", now), 0);
          taken++;
        }
      }
      assert(taken <= burst + (now * perSecond) / 1_000 + 1e-6);
    },
  ));
});

Deno.test("TokenBuckets: a flood of addresses does not stay in memory, and takes nobody's tokens", () => {
  const buckets = new TokenBuckets({ perSecond: 50, burst: 500 });
  const before = memoryInUse().live;
  const patient = new TokenBuckets({ perSecond: 1, burst: 1 });
  assertEquals(patient.take("me", 0), 0);
  for (let i = 0; i < 1_000_000; i++) {
    if (buckets.take(`address ${i}`, i / 10) !== 0) throw new Error(`${i}`);
  }
  const grown = memoryInUse().live - before;
  assert(grown < 8_000_000, `${grown} bytes for 1,000,000 addresses`);
  assertEquals(buckets.take("me", 100_000), 0);
  for (let i = 0; i < 11_000; i++) patient.take(`address ${i}`, 100);
  assert(patient.take("me", 100) > 0, "who has none left is not forgotten");
});
