import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  checkPlan,
  DIALING_PLAN,
  endOf,
  EXCHANGE_PLAN,
  nextRun,
  startFrom,
  windowOf,
} from "../../../lib/mix/coordinator/schedule.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";

const { EXCHANGE, DIALING } = RoundKind;
const { ROUNDS } = RunMode;

Deno.test("S3.5: starts are multiples of the period since 1970", () => {
  const table = [[0, 0], [1, 2_000], [1_999, 2_000], [2_000, 2_000], [
    2_001,
    4_000,
  ]];
  for (const [time, start] of table) {
    assertEquals(startFrom(time!, 2_000), start);
  }
});

Deno.test("S3.5: after a thousand runs the schedule is where it began, to the millisecond", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1_700_000_000_000, max: 2_000_000_000_000 }),
    fc.integer({ min: 200, max: 60_000 }),
    fc.integer({ min: 1, max: 512 }),
    (now, period, count) => {
      const plan = { ...EXCHANGE_PLAN, period, count };
      const first = nextRun(EXCHANGE, ROUNDS, plan, now, 0, 2_000);
      assert(first.first >= now + 2_000 && first.first < now + 2_000 + period);
      let run = first;
      for (let i = 0; i < 1_000; i++) {
        // Whenever it is made while the one before goes on, and however late in it.
        const at = run.first + (i * 7_919) % (endOf(run) - run.first);
        run = nextRun(EXCHANGE, ROUNDS, plan, at - 2_000, endOf(run), 2_000);
      }
      assertEquals(run.first, first.first + 1_000 * period * count);
    },
  ));
});

Deno.test("S3.5: a run that is made too late begins later, still at a multiple of its period", () => {
  const run = nextRun(EXCHANGE, ROUNDS, EXCHANGE_PLAN, 100_001, 90_000, 2_000);
  assertEquals(run.first, 104_000);
});

Deno.test("S3.5: plans are held to their bounds", () => {
  checkPlan(EXCHANGE, ROUNDS, EXCHANGE_PLAN);
  checkPlan(DIALING, ROUNDS, DIALING_PLAN);
  assertEquals(windowOf(EXCHANGE_PLAN), 1_200);
  const good = [
    { period: 200 },
    { period: 600_000 },
    { window: 1 },
    { slots: 1 },
    { slots: 255 },
    { count: 1 },
    { count: 512 },
  ];
  for (const each of good) {
    checkPlan(EXCHANGE, ROUNDS, { ...EXCHANGE_PLAN, ...each });
  }
  const bad = [
    { period: 199 },
    { period: 600_001 },
    { period: 2_000.5 },
    { window: 0 },
    { window: 1.01 },
    { window: NaN },
    { slots: 0 },
    { slots: 256 },
    { count: 0 },
    { count: 513 },
    { buckets: 1 },
  ];
  for (const each of bad) {
    assertThrows(
      () => checkPlan(EXCHANGE, ROUNDS, { ...EXCHANGE_PLAN, ...each }),
      RangeError,
      "Cannot plan rounds",
      JSON.stringify(each),
    );
  }
  for (const buckets of [0, 65_537]) {
    assertThrows(
      () => checkPlan(DIALING, ROUNDS, { ...DIALING_PLAN, buckets }),
      RangeError,
    );
  }
});
