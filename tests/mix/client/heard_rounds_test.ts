import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { HeardRounds } from "../../../lib/mix/client/heard_rounds.ts";

const MINUTE = 60_000;

Deno.test("S3.6: heard rounds: without a long absence there is no gap", () => {
  const heard = new HeardRounds(100 * MINUTE);
  assertEquals(heard.recentFrom(110 * MINUTE), 100 * MINUTE);
  assertEquals([heard.upTo, heard.gap], [100 * MINUTE, undefined]);
  heard.heard(105 * MINUTE);
  assertEquals([heard.upTo, heard.gap], [105 * MINUTE, undefined]);
  assertEquals(heard.recentFrom(111 * MINUTE), 105 * MINUTE);
});

Deno.test("S3.6: heard rounds: after a long one the last ten minutes come first, then the rest", () => {
  const heard = new HeardRounds(0);
  assertEquals(heard.recentFrom(100 * MINUTE), 90 * MINUTE);
  assertEquals(heard.gap, { after: 0, upTo: 90 * MINUTE });
  heard.heard(95 * MINUTE);
  heard.madeUp(20 * MINUTE);
  assertEquals(heard.upTo, 20 * MINUTE);
  // Soon on another connection: nothing is heard twice.
  assertEquals(heard.recentFrom(101 * MINUTE), 95 * MINUTE);
  assertEquals(heard.gap, { after: 20 * MINUTE, upTo: 90 * MINUTE });
  heard.madeUp(90 * MINUTE);
  assertEquals([heard.upTo, heard.gap], [95 * MINUTE, undefined]);
  heard.heard(96 * MINUTE);
  assertEquals(heard.upTo, 96 * MINUTE);
  // Long away again: a new gap.
  assertEquals(heard.recentFrom(200 * MINUTE), 190 * MINUTE);
  assertEquals(heard.gap, { after: 96 * MINUTE, upTo: 190 * MINUTE });
});

Deno.test("S3.6: heard rounds: however connections come and go, each round is heard, and in order in its span", () => {
  const steps = fc.array(
    fc.record({
      away: fc.integer({ min: 1, max: 40 }),
      recent: fc.nat(12),
      older: fc.nat(30),
    }),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(fc.property(steps, (all) => {
    const heard = new HeardRounds(0);
    const times = new Map<number, number>();
    const listen = (after: number, upTo: number, most: number) => {
      const starts = [];
      for (let start = after + MINUTE; start <= upTo; start += MINUTE) {
        if (starts.length < most) starts.push(start);
      }
      for (const start of starts) {
        times.set(start, (times.get(start) ?? 0) + 1);
      }
      return starts;
    };
    let now = 0;
    for (
      const { away, recent, older } of [
        ...all,
        { away: 1, recent: Infinity, older: Infinity },
      ]
    ) {
      now += away * MINUTE;
      const from = heard.recentFrom(now);
      for (const start of listen(from, now, recent)) heard.heard(start);
      const { gap } = heard;
      if (gap === undefined) continue;
      for (const start of listen(gap.after, gap.upTo, older)) {
        heard.madeUp(start);
      }
    }
    assertEquals([heard.upTo, heard.gap], [now, undefined]);
    for (let start = MINUTE; start <= now; start += MINUTE) {
      assertEquals(times.has(start), true);
    }
  }));
});
