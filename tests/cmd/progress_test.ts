import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { displayWidth } from "../../cmd/display_width.ts";
import type { Io } from "../../cmd/io.ts";
import { MovingRate } from "../../cmd/moving_rate.ts";
import { Progress } from "../../cmd/progress.ts";
import { progressLine } from "../../cmd/progress_line.ts";
import type { ProgressState } from "../../cmd/progress_line.ts";
import { testIo } from "../support/test_io.ts";
import type { TestIo } from "../support/test_io.ts";

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const HALF: ProgressState = {
  name: "report.pdf",
  done: 1.2 * GIB,
  total: 2.6 * GIB,
  rate: 231 * MIB,
};

const LINES: readonly (readonly [number, Partial<ProgressState>, string])[] = [
  [
    120,
    {},
    "report.pdf   46% █████████████░░░░░░░░░░░░░░░░░  1.2 GiB / 2.6 GiB  231.0 MiB/s  7s left",
  ],
  [
    80,
    {},
    "report.pdf   46% █████░░░░░░░  1.2 GiB / 2.6 GiB  231.0 MiB/s  7s left",
  ],
  [70, {}, "report.pdf   46%  1.2 GiB / 2.6 GiB  231.0 MiB/s  7s left"],
  [50, {}, "report.pdf   46%  231.0 MiB/s  7s left"],
  [31, {}, "report.pdf   46%  7s left"],
  [20, {}, "report.pdf   46%"],
  [10, {}, "46%"],
  [4, {}, "46%"],
  [3, {}, "4…"],
  [1, {}, ""],
  [0, {}, ""],
  [50, { total: undefined }, "report.pdf  1.2 GiB  231.0 MiB/s"],
  [30, { total: undefined }, "report.pdf  1.2 GiB"],
  [50, { rate: undefined }, "report.pdf   46%"],
  [50, { rate: 0 }, "report.pdf   46%  stalled"],
  [50, { total: undefined, rate: 0 }, "report.pdf  1.2 GiB  stalled"],
  [50, { done: 2.6 * GIB }, "report.pdf  100%  231.0 MiB/s"],
  [50, { done: 2.6 * GIB, rate: 0 }, "report.pdf  100%  0 B/s"],
  [50, { done: 2.6 * GIB - 1 }, "report.pdf   99%  231.0 MiB/s  1s left"],
  [50, { done: 3 * GIB }, "report.pdf  100%  231.0 MiB/s"],
  [50, { done: 0, total: 0, rate: undefined }, "report.pdf  100%"],
  [50, { done: 0, rate: 1 }, "report.pdf    0%  1 B/s"],
  [50, { rate: 0.2 * MIB }, "report.pdf   46%  204.8 KiB/s  1h 59m left"],
  [50, { name: "a\x1b[2J\n" }, "a\\u{1b}[2J\\u{a}   46%  231.0 MiB/s  7s left"],
  [
    50,
    { name: "名前の長いファイル" },
    "名前の長いファ…   46%  231.0 MiB/s  7s left",
  ],
];

for (const [columns, fields, line] of LINES) {
  const what = JSON.stringify(fields);
  Deno.test(`progress line: in ${columns} columns, ${what}`, () => {
    assertEquals(progressLine({ ...HALF, ...fields }, columns), line);
  });
}

const anyState: fc.Arbitrary<ProgressState> = fc.record({
  name: fc.string({ unit: "binary", maxLength: 60 }),
  done: fc.maxSafeNat(),
  total: fc.option(fc.maxSafeNat(), { nil: undefined }),
  rate: fc.option(fc.double({ min: 0, max: 1e15, noNaN: true }), {
    nil: undefined,
  }),
});

Deno.test("progress line: it never fills its columns, and is one line", () => {
  fc.assert(fc.property(anyState, fc.nat(200), (state, columns) => {
    const line = progressLine(state, columns);
    assert(displayWidth(line) <= Math.max(0, columns - 1), line);
    // deno-lint-ignore no-control-regex -- that is what may not be there
    assert(!/[\x00-\x1f\x7f]/.test(line), line);
  }));
});

Deno.test("progress line: the bar keeps its place and its length", () => {
  const bars = new Set<string>();
  for (let done = 0; done <= 2 * GIB; done += 3.7 * MIB) {
    const rate = done / 7;
    const line = progressLine({ ...HALF, done, total: 2 * GIB, rate }, 100);
    const [bar] = /[█░]+/.exec(line)!;
    bars.add(`${line.indexOf(bar)} ${bar.length}`);
  }
  assertEquals(bars.size, 1);
});

Deno.test("moving rate: nothing before half a second, then the average of five", () => {
  const rate = new MovingRate(0, 1_000);
  assertEquals(rate.measure(0, 1_000), undefined);
  assertEquals(rate.measure(499, 5_000), undefined);
  assertEquals(rate.measure(500, 6_000), 10_000);
  for (let at = 600; at <= 20_000; at += 100) {
    rate.measure(at, 6_000 + (at - 500) * 2);
  }
  // Only the faster beginning is forgotten.
  assertEquals(rate.measure(20_000, 45_000), 2_000);
  assertEquals(rate.measure(25_000, 45_000), 0);
});

Deno.test("moving rate: it goes on when the clock is set back, and never falls below zero", () => {
  const rate = new MovingRate(1_000_000, 0);
  assertEquals(rate.measure(1_001_000, 500), 500);
  assertEquals(rate.measure(5_000, 600), undefined);
  assertEquals(rate.measure(6_000, 1_600), 1_000);
  assertEquals(rate.measure(7_000, 0), 0);
});

Deno.test("moving rate: many samples do not pile up", () => {
  const rate = new MovingRate(0, 0);
  const began = performance.now();
  for (let i = 1; i <= 200_000; i++) rate.measure(i, i);
  assertEquals(rate.measure(200_001, 200_001), 1_000);
  assert(performance.now() - began < 5_000);
});

/** A terminal, and a clock that is set by hand. */
function terminal(columns = 60): TestIo & { at: number } {
  const clock = { at: 1_000 };
  const io = testIo({ terminal: true, columns, now: () => clock.at });
  return Object.defineProperty(io as TestIo & { at: number }, "at", {
    get: () => clock.at,
    set: (at: number) => clock.at = at,
  });
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("progress: drawn at most ten times a second", async () => {
  const io = terminal();
  const progress = new Progress(io, { name: "a", total: 1_000 });
  for (let i = 0; i < 100; i++) {
    progress.update(i);
    await settled();
    io.at += 10;
  }
  assertEquals(io.err.split("\r").length - 1, 10);
  await progress.finish();
});

Deno.test("progress: a transfer that stalls is seen by ticking", async () => {
  const io = terminal();
  const progress = new Progress(io, { name: "a", total: 1_000_000 });
  for (let i = 0; i < 10; i++) {
    progress.update(i * 1_000);
    await settled();
    io.at += 200;
  }
  assert(!io.err.includes("stalled"));
  for (let i = 0; i < 6; i++) {
    progress.tick();
    await settled();
    io.at += 1_000;
  }
  assert(io.err.includes("stalled"));
  await progress.finish();
});

Deno.test("progress: what was done before does not count for the rate", async () => {
  const io = terminal();
  const progress = new Progress(io, { name: "a", total: 2 * GIB, done: GIB });
  io.at += 1_000;
  progress.update(GIB + MIB);
  await progress.finish(true);
  assert(io.err.includes(" 50%"), io.err);
  assert(io.err.includes("1.0 MiB/s"), io.err);
});

Deno.test("progress: a total that becomes known is shown from then on", async () => {
  const io = terminal();
  const progress = new Progress(io, { name: "a" });
  progress.update(50);
  await settled();
  assert(!io.err.includes("%"));
  io.at += 200;
  progress.update(50, 100);
  await progress.finish();
  assert(io.err.includes(" 50%"));
});

Deno.test("progress: finish takes the line away, once", async () => {
  const io = terminal();
  const progress = new Progress(io, { name: "a", total: 2 });
  progress.update(1);
  await progress.finish();
  await progress.finish();
  io.at += 1_000;
  progress.update(2);
  progress.tick();
  await settled();
  const drawn = io.err.split("\r\x1b[K");
  assertEquals(drawn.length, 3);
  assertEquals([drawn[0], drawn[2]], ["", ""]);
});

Deno.test("progress: finish can leave the last state", async () => {
  const io = terminal();
  const progress = new Progress(io, { name: "a", total: 2 });
  progress.update(1);
  progress.update(2);
  await progress.finish(true);
  assert(io.err.endsWith("\n"), io.err);
  const last = io.err.split("\r\x1b[K").at(-1);
  assert(last?.startsWith("a  100%"), last);
  assertEquals(io.err.split("\n").length, 2);
});

Deno.test("progress: a note takes the place of the line, which goes on below it", async () => {
  const io = terminal();
  const progress = new Progress(io, { name: "a", total: 2 });
  await progress.note("before");
  progress.update(1);
  await progress.note("offline");
  progress.update(2);
  await progress.finish(true);
  const [first, line, note, ...rest] = io.err.split("\r\x1b[K");
  assertEquals([first, note], ["before\n", "offline\n"]);
  assert(line!.startsWith("a   50%"), line);
  assert(rest.at(-1)!.startsWith("a  100%"), io.err);
});

Deno.test("progress: nothing is erased where nothing was drawn", async () => {
  const io = terminal();
  await new Progress(io, { name: "a" }).finish();
  assertEquals(io.err, "");
});

Deno.test("progress: it follows the width of the terminal", async () => {
  const io = terminal(100);
  const progress = new Progress(io, { name: "a", total: 2 });
  progress.update(1);
  await settled();
  io.resize(10, 24);
  io.at += 200;
  progress.tick();
  await settled();
  const [, wide, narrow] = io.err.split("\r\x1b[K");
  assert(wide!.includes("█"));
  assertEquals(narrow, "a   50%");
  await progress.finish();
});

for (
  const [why, io, quiet] of [
    ["no terminal", testIo(), false],
    ["--quiet", testIo({ terminal: true }), true],
  ] as const
) {
  Deno.test(`progress: with ${why} there is nothing at all`, async () => {
    const progress = new Progress(io, { name: "a", total: 2, quiet });
    progress.update(1);
    progress.tick();
    await progress.finish(true);
    assertEquals(io.err + io.out, "");
  });
}

Deno.test("progress: while the terminal is slow nothing piles up", async () => {
  const io = terminal();
  const gate = Promise.withResolvers<void>();
  let writes = 0;
  const slow: Io = {
    ...io,
    now: () => io.at,
    stderr: {
      isTerminal: true,
      columns: 60,
      rows: 24,
      write: () => {
        writes++;
        return gate.promise;
      },
    },
  };
  const progress = new Progress(slow, { name: "a", total: 100 });
  for (let i = 0; i < 100; i++) {
    progress.update(i);
    io.at += 200;
  }
  assertEquals(writes, 1);
  gate.resolve();
  await progress.finish();
  assertEquals(writes, 2);
});

Deno.test("progress: a terminal that is gone ends the line, not the transfer", async () => {
  const io = terminal();
  let writes = 0;
  const gone: Io = {
    ...io,
    now: () => io.at,
    stderr: {
      isTerminal: true,
      columns: 60,
      rows: 24,
      write: () => {
        writes++;
        return Promise.reject(new Error("gone"));
      },
    },
  };
  const progress = new Progress(gone, { name: "a", total: 100 });
  progress.update(1);
  await settled();
  io.at += 1_000;
  progress.update(2);
  await progress.finish(true);
  assertEquals(writes, 1);
});
