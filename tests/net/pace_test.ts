import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Pace } from "../../lib/net/mod.ts";
import type { PaceClock } from "../../lib/net/mod.ts";

/** Time that passes only by sleeping; `late` is added to every sleep, as a busy machine does. */
class FakeClock implements PaceClock {
  readonly sleeps: number[] = [];
  readonly #late: number;
  at = 1_000;

  constructor(late = 0) {
    this.#late = late;
  }

  now(): number {
    return this.at;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(milliseconds);
    this.at += milliseconds + this.#late;
    return Promise.resolve();
  }
}

Deno.test("pace: the first bytes go at once, the next when they are paid for", async () => {
  const clock = new FakeClock();
  const pace = new Pace(1_000, clock);
  const began = clock.at;
  const gone: number[] = [];
  for (let i = 0; i < 4; i++) {
    await pace.take(500);
    gone.push(clock.at - began);
  }
  // 50 ms of credit at the beginning.
  assertEquals(gone, [0, 450, 950, 1_450]);
});

for (const late of [0, 0.9, 7, 30]) {
  Deno.test(`pace: the rate is kept over time by timers that are ${late} ms late`, async () => {
    const clock = new FakeClock(late);
    const pace = new Pace(10_000_000, clock);
    const began = clock.at;
    for (let i = 0; i < 1_000; i++) await pace.take(16_400);
    const rate = 1_000 * 16_400 / (clock.at - began) * 1_000;
    assert(rate > 9_500_000 && rate < 10_500_000, `${rate}`);
  });
}

Deno.test("pace: waits are neither too short for a timer nor longer than the bytes ask for", async () => {
  const clock = new FakeClock();
  const pace = new Pace(10_000_000, clock);
  for (let i = 0; i < 1_000; i++) await pace.take(1_000);
  assert(clock.sleeps.length > 0);
  for (const wait of clock.sleeps) assert(wait >= 2 && wait < 2.2, `${wait}`);
});

Deno.test("pace: a pause does not allow a burst", async () => {
  const clock = new FakeClock();
  const pace = new Pace(1_000_000, clock);
  await pace.take(1_000);
  clock.at += 3_600_000;
  const began = clock.at;
  let bytes = 0;
  while (clock.at === began) {
    await pace.take(1_000);
    bytes += 1_000;
  }
  // 50 ms of credit are 50,000 bytes, then what is too little to wait for.
  assert(bytes >= 50_000 && bytes <= 54_000, `${bytes}`);
});

Deno.test("pace: no more goes than the rate, the last bytes and 50 ms allow", async () => {
  await fc.assert(fc.asyncProperty(
    fc.integer({ min: 1, max: 100_000_000 }),
    fc.array(fc.tuple(fc.nat(300_000), fc.nat(200)), { maxLength: 60 }),
    async (rate, takes) => {
      const clock = new FakeClock(0.1);
      const pace = new Pace(rate, clock);
      const began = clock.at;
      let before = 0;
      for (const [bytes, pause] of takes) {
        await pace.take(bytes);
        const allowed = (clock.at - began + 50 + 2) / 1_000 * rate;
        assert(before <= allowed * (1 + 1e-9), `${before} > ${allowed}`);
        before += bytes;
        clock.at += pause;
      }
    },
  ));
});

Deno.test("pace: a wait that no timer can hold is taken in pieces", async () => {
  const clock = new FakeClock();
  const pace = new Pace(1, clock);
  const began = clock.at;
  await pace.take(3_000_000);
  await pace.take(1);
  // 3,000,000 s are more than 2^31 ms.
  assertEquals(clock.at - began, 3_000_000_000 - 50);
  assertEquals(Math.max(...clock.sleeps), 60_000);
});

Deno.test("pace: who waits at the same time goes in order, one after the other", async () => {
  const gone: [string, number][] = [];
  const pace = new Pace(20_000);
  const began = performance.now();
  await Promise.all([..."abcd"].map(async (name) => {
    await pace.take(1_000);
    gone.push([name, performance.now() - began]);
  }));
  // 50 ms for each, the second at the end of the credit.
  assertEquals(gone.map(([name]) => name), [..."abcd"]);
  assert(gone[3]![1] >= 95, `${gone[3]![1]}`);
  assert(gone[3]![1] < 1_000, `${gone[3]![1]}`);
});

Deno.test("pace: a wait can be called off, with the reason and no timer left", async () => {
  const pace = new Pace(1);
  await pace.take(1_000_000);
  const controller = new AbortController();
  const waiting = pace.take(1, controller.signal);
  controller.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  await assertRejects(() => pace.take(1, controller.signal), Error, "enough");
});

for (const rate of [0, -1, NaN]) {
  Deno.test(`pace: ${rate} bytes a second is refused`, () => {
    assertThrows(() => new Pace(rate), RangeError);
  });
}

Deno.test("pace: an infinite rate never waits", async () => {
  const clock = new FakeClock();
  const pace = new Pace(Infinity, clock);
  for (let i = 0; i < 100; i++) await pace.take(1e9);
  assertEquals(clock.sleeps, []);
});

Deno.test("pace: on a real clock, some 100 ms at 4 MB/s", async () => {
  const pace = new Pace(4_000_000);
  const began = performance.now();
  for (let i = 0; i < 100; i++) await pace.take(6_000);
  // 600,000 bytes are 150 ms, less 50 ms of credit.
  const took = performance.now() - began;
  assert(took > 90 && took < 1_000, `${took}`);
});
