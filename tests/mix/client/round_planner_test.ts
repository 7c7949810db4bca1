import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RoundPlanner } from "../../../lib/mix/client/round_planner.ts";
import type { PlannedRound } from "../../../lib/mix/client/round_planner.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import type { RunSettings } from "../../../lib/mix/settings/run_settings.ts";
import type { SettingsFields } from "../../../lib/mix/settings/settings_fields.ts";
import { someFields } from "../settings/settings_fixture.ts";
import { seeded } from "../statistics/seeded.ts";

const { EXCHANGE, DIALING } = RoundKind;
const FIRST = 1_800_000_000_000;

function run(changes: Partial<SettingsFields> = {}): RunSettings {
  return {
    ...someFields({ first: FIRST, ...changes }),
    body: new Uint8Array(9),
  };
}

/** Plans all that there is, as time goes on. */
function planAll(
  planner: RoundPlanner,
  now: number,
  spare = 0,
): PlannedRound[] {
  const all: PlannedRound[] = [];
  for (;;) {
    const { next } = planner.plan(EXCHANGE, now, spare);
    if (next === undefined) return all;
    all.push(next);
  }
}

Deno.test("S3.5: every round of a run is planned once, in order, with its deadlines", () => {
  const planner = new RoundPlanner(seeded(1));
  const settings = run();
  planner.take(settings, FIRST - 5_000);
  const planned = planAll(planner, FIRST - 5_000);
  assertEquals(planned.map(({ index }) => index), [0, 1, 2]);
  for (const { round, index, closesAt, forgetAt, settings: own } of planned) {
    assertEquals(round, { kind: EXCHANGE, start: FIRST + index * 2_000 });
    assertEquals(closesAt, round.start + 1_200);
    assertEquals(forgetAt, closesAt + 8_000);
    assert(own === settings);
  }
  assertEquals(planAll(planner, FIRST - 5_000), []);
});

// [spare, how much of the 840 ms is drawn from]
for (
  const [spare, span] of [[0, 840], [40, 800], [838, 2], [839, 1], [840, 1], [
    5_000,
    1,
  ]] as const
) {
  Deno.test(`S3.5: with ${spare} ms to spare onions go in the first ${span} ms, each as likely`, () => {
    const planner = new RoundPlanner(seeded(7));
    const count = 500;
    const seen = new Map<number, number>();
    for (let i = 0; i < 4; i++) {
      const first = FIRST + i * 2_000 * count;
      planner.take(run({ first, count }), first - 1);
      for (const { round, sendAt } of planAll(planner, first - 1, spare)) {
        const into = sendAt - round.start;
        assert(into >= 0 && into < span, `${into}`);
        seen.set(into, (seen.get(into) ?? 0) + 1);
      }
    }
    // Quarters of the span: 500 each of 2,000; 5 sigma are 97.
    const quarters = [0, 0, 0, 0];
    for (const [into, times] of seen) {
      quarters[Math.floor(into * 4 / span)]! += times;
    }
    if (span >= 4) {
      for (const each of quarters) {
        assert(Math.abs(each - 500) < 97, quarters.join());
      }
    }
  });
}

Deno.test("S3.5: a round that has begun is missed, not handed in at a time that gives it away", () => {
  const planner = new RoundPlanner(seeded(1));
  planner.take(run(), FIRST - 1);
  const { missed, next } = planner.plan(EXCHANGE, FIRST + 2_001, 0);
  assertEquals(missed.map(({ round }) => round.start), [FIRST, FIRST + 2_000]);
  assertEquals(next?.index, 2);
});

Deno.test("S3.5: rounds from before one has joined are not missed", () => {
  const planner = new RoundPlanner(seeded(1));
  planner.take(run(), FIRST + 1);
  const { missed, next } = planner.plan(EXCHANGE, FIRST + 1, 0);
  assertEquals(missed, []);
  assertEquals(next?.index, 1);
});

Deno.test("S3.5: kinds do not get into each other's way", () => {
  const planner = new RoundPlanner(seeded(1));
  planner.take(run(), FIRST - 1);
  planner.take(run({ kind: DIALING, buckets: 1, count: 1 }), FIRST - 1);
  assertEquals(planner.plan(DIALING, FIRST - 1, 0).next?.round.kind, DIALING);
  assertEquals(planner.plan(DIALING, FIRST - 1, 0).next, undefined);
  assertEquals(planAll(planner, FIRST - 1).length, 3);
});

Deno.test("S3.5: rounds that were planned stay used on a new connection; given back they are not", () => {
  const planner = new RoundPlanner(seeded(1));
  planner.take(run(), FIRST - 1);
  const { next } = planner.plan(EXCHANGE, FIRST - 1, 0);
  planner.renew();
  planner.take(run(), FIRST - 1);
  const again = planner.plan(EXCHANGE, FIRST - 1, 0).next!;
  assertEquals([next?.index, again.index], [0, 1]);
  planner.giveBack(again.round);
  assertEquals(planAll(planner, FIRST - 1).map(({ index }) => index), [1, 2]);
  const error = assertThrows(() => planner.take(run(), FIRST - 1), MixError);
  assertEquals(error.code, "ERR_MIX_SETTINGS");
});

Deno.test("S3.5: later settings void those before from their first round on, also wholly", () => {
  const planner = new RoundPlanner(seeded(1));
  const [one, two] = [run({ count: 10 }), run({ first: FIRST + 20_000 })];
  planner.take(one, FIRST - 1);
  planner.take(two, FIRST - 1);
  const { next } = planner.plan(EXCHANGE, FIRST - 1, 0);
  assert(planner.holds(next!));
  const three = run({ first: FIRST + 4_000, count: 2 });
  planner.take(three, FIRST - 1);
  assert(planner.holds(next!));
  const planned = planAll(planner, FIRST - 1);
  assertEquals(
    planned.map(({ settings }) => [one, two, three].indexOf(settings)),
    [0, 2, 2],
  );
  planner.take(run({ count: 20 }), FIRST - 1);
  assert(planned.every((each) => !planner.holds(each)));
});

Deno.test("S3.5: no more than four runs of a kind are kept", () => {
  const planner = new RoundPlanner(seeded(1));
  for (let i = 0; i < 4; i++) {
    planner.take(run({ first: FIRST + i * 6_000 }), FIRST - 1);
  }
  assertThrows(
    () => planner.take(run({ first: FIRST + 24_000 }), FIRST - 1),
    MixError,
    "too many",
  );
  // The first is over when its rounds were used.
  for (let i = 0; i < 4; i++) planner.plan(EXCHANGE, FIRST - 1, 0);
  planner.take(run({ first: FIRST + 24_000 }), FIRST - 1);
});

Deno.test("S3.5: whatever is announced and whenever time jumps, starts only go up, and each is planned before it", () => {
  const step = fc.record({
    first: fc.integer({ min: -20, max: 40 }),
    count: fc.integer({ min: 1, max: 12 }),
    passes: fc.integer({ min: 0, max: 9_000 }),
    plans: fc.integer({ min: 0, max: 4 }),
    renews: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const planner = new RoundPlanner(seeded(3));
      let now = FIRST;
      let last = 0;
      for (const { first, count, passes, plans, renews } of steps) {
        if (renews) planner.renew();
        try {
          planner.take(run({ first: FIRST + first * 1_000, count }), now);
        } catch (error) {
          assert(error instanceof MixError);
        }
        for (let i = 0; i < plans; i++) {
          const { missed, next } = planner.plan(EXCHANGE, now, 100);
          for (const { round } of missed) assert(round.start < now);
          if (next === undefined) continue;
          assert(next.round.start > last && next.round.start >= now);
          assert(next.sendAt >= next.round.start);
          assert(next.sendAt < next.round.start + 740);
          assert(planner.holds(next));
          last = next.round.start;
        }
        now += passes;
      }
    }),
  );
});
