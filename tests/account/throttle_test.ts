import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Throttle } from "../../lib/account/throttle.ts";

const LIMITS = { free: 3, longest: 60 };

Deno.test("throttle: the first failures are free, every further one doubles the wait up to the bound", () => {
  const throttle = new Throttle(LIMITS);
  const waits: number[] = [];
  for (let failures = 0; failures < 12; failures++) {
    waits.push(throttle.wait("a", 1_000));
    throttle.failed("a", 1_000);
  }
  assertEquals(waits, [0, 0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60]);
});

Deno.test("throttle: a wait runs out second by second", () => {
  const throttle = new Throttle({ free: 0, longest: 60 });
  for (let i = 0; i < 3; i++) throttle.failed("a", 100);
  const table = [[100, 8], [100.5, 8], [107, 1], [107.9, 1], [108, 0], [
    200,
    0,
  ]];
  for (const [now, wait] of table) {
    assertEquals(throttle.wait("a", now!), wait, `at ${now}`);
  }
});

Deno.test("throttle: keys do not touch one another", () => {
  const throttle = new Throttle(LIMITS);
  for (let i = 0; i < 50; i++) throttle.failed("a", 0);
  assert(throttle.wait("a", 0) > 0);
  assertEquals(throttle.wait("b", 0), 0);
  assertEquals(throttle.wait("", 0), 0);
});

Deno.test("throttle: a success clears the slate", () => {
  const throttle = new Throttle(LIMITS);
  for (let i = 0; i < 50; i++) throttle.failed("a", 0);
  throttle.succeeded("a");
  assertEquals(throttle.wait("a", 0), 0);
  for (let i = 0; i < 3; i++) throttle.failed("a", 0);
  assertEquals(throttle.wait("a", 0), 0);
});

Deno.test("throttle: a quiet day clears it too, and not a second less", () => {
  for (const [quiet, wait] of [[86_400, 60], [86_401, 0]] as const) {
    const throttle = new Throttle(LIMITS);
    for (let i = 0; i < 50; i++) throttle.failed("a", 0);
    throttle.failed("a", quiet);
    assertEquals(throttle.wait("a", quiet), wait, `after ${quiet} s`);
  }
});

Deno.test("throttle: whatever happens, a key is never locked out for longer than the bound", () => {
  const step = fc.record({
    key: fc.constantFrom("known@zone", "unknown@zone"),
    pause: fc.integer({ min: 0, max: 200 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const throttle = new Throttle(LIMITS);
    let now = 0;
    for (const { key, pause } of steps) {
      now += pause;
      throttle.failed(key, now);
      const wait = throttle.wait(key, now);
      assert(wait >= 0 && wait <= LIMITS.longest);
      assertEquals(throttle.wait(key, now + wait), 0);
    }
  }));
});

Deno.test("throttle: remembers 100,000 keys and forgets the longest quiet first", () => {
  const throttle = new Throttle({ free: 0, longest: 60 });
  for (let i = 0; i <= 100_000; i++) throttle.failed(`key ${i}`, 0);
  assertEquals(throttle.wait("key 0", 0), 0);
  assertEquals(throttle.wait("key 1", 0), 2);
  // A further failure makes a key a recent one.
  throttle.failed("key 1", 0);
  throttle.failed("one more", 0);
  assertEquals(throttle.wait("key 1", 0), 4);
  assertEquals(throttle.wait("key 2", 0), 0);
});
