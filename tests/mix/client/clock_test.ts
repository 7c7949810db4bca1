import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Caution } from "../../../lib/mix/client/caution.ts";
import { bestReading } from "../../../lib/mix/client/clock_sample.ts";
import { CoordinatorTime } from "../../../lib/mix/client/coordinator_time.ts";
import { MakingTime } from "../../../lib/mix/client/making_time.ts";
import { VirtualClock } from "./virtual_clock.ts";

Deno.test("S3.5: the sample with the shortest way counts", () => {
  assertEquals(
    bestReading([
      { askedAt: 0, heardAt: 300, told: 90_000 },
      { askedAt: 1_000, heardAt: 1_020, told: 51_010 },
      { askedAt: 2_000, heardAt: 2_100, told: 1 },
    ]),
    { offset: 50_000, roundTrip: 20 },
  );
  assertThrows(() => bestReading([]), RangeError);
});

Deno.test("S3.5: a reading is off by half of the way at most, however uneven the way is", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.array(fc.tuple(fc.nat(2_000), fc.nat(2_000)), { minLength: 1 }),
      (offset, ways) => {
        const samples = ways.map(([there, back], i) => ({
          askedAt: i * 5_000,
          heardAt: i * 5_000 + there + back,
          told: i * 5_000 + there + offset,
        }));
        const reading = bestReading(samples);
        assert(Math.abs(reading.offset - offset) <= reading.roundTrip / 2);
        assertEquals(
          reading.roundTrip,
          Math.min(...ways.map(([there, back]) => there + back)),
        );
      },
    ),
  );
});

Deno.test("S3.5: caution grows with what is late, up to a limit, and goes back when all is in time for long", () => {
  const caution = new Caution();
  assertEquals(caution.inTime(), false);
  assertEquals(caution.late(100), true);
  assertEquals(caution.earlier, 150);
  for (let i = 0; i < 29; i++) assertEquals(caution.inTime(), false);
  assertEquals(caution.inTime(), true);
  assertEquals(caution.earlier, 120);
  caution.late(0xffff_ffff);
  assertEquals(caution.earlier, 10_000);
  assertEquals(caution.late(1), false);
  let rounds = 0;
  while (caution.earlier > 0) {
    caution.inTime();
    assert(++rounds < 2_000);
  }
  caution.late(10);
  caution.forget();
  assertEquals(caution.earlier, 0);
});

Deno.test("S3.5: time goes by the reading, and a jump of either clock is noticed", async () => {
  const clock = new VirtualClock(1_000);
  const time = new CoordinatorTime(clock, { offset: 500, roundTrip: 4 });
  assertEquals(time.now(), 1_500);
  let called = 0;
  time.at(1_600, () => called++);
  time.at(1_400, () => called += 10);
  time.at(1_610, () => called += 100)();
  await clock.advance(99);
  assertEquals(called, 10);
  await clock.advance(500);
  assertEquals(called, 11);
  assertEquals(time.hasJumped, false);
  clock.date += 1_001;
  assertEquals(time.hasJumped, true);
  assertEquals(time.set({ offset: 450, roundTrip: 2 }), 50);
  assertEquals(time.hasJumped, false);
  clock.date -= 1_001;
  assertEquals(time.hasJumped, true);
});

Deno.test("S3.5: making is given twice what it took of late", () => {
  const making = new MakingTime();
  assertEquals(making.allowance, 40);
  making.took(0);
  assertEquals(making.allowance, 20);
  making.took(100);
  assertEquals(making.allowance, 220);
  making.took(5_000);
  assertEquals(making.allowance, 2_000);
  for (let i = 0; i < 8; i++) making.took(1);
  assertEquals(making.allowance, 22);
});
