import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseDuration } from "../../cmd/duration.ts";
import { formatDuration } from "../../cmd/format_duration.ts";
import { UsageError } from "../../cmd/errors.ts";
import { formatSize, parseSize } from "../../cmd/size.ts";

const DURATIONS: readonly (readonly [string, number])[] = [
  ["0s", 0],
  ["850ms", 850],
  ["10s", 10_000],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["30d", 2_592_000_000],
  ["2w", 1_209_600_000],
];

for (const [text, ms] of DURATIONS) {
  Deno.test(`duration: ${text} is ${ms} ms`, () => {
    assertEquals(parseDuration(text), ms);
  });
}

for (
  const text of [
    "",
    "10",
    "s",
    "-1s",
    "1.5h",
    "1 h",
    "1y",
    "1H",
    "1s ",
    "9".repeat(20) + "s",
    "0x1s",
  ]
) {
  Deno.test(`duration: "${text}" is refused`, () => {
    assertThrows(() => parseDuration(text), UsageError);
  });
}

Deno.test("duration: shown in the two largest units", () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, "0s"],
    [0, "0s"],
    [999, "999ms"],
    [1_000, "1s"],
    [1_999, "1s"],
    [61_000, "1m 1s"],
    [3_600_000, "1h"],
    [3_601_000, "1h"],
    [93_600_000, "1d 2h"],
  ];
  for (const [ms, text] of cases) assertEquals(formatDuration(ms), text);
});

Deno.test("duration: what is shown is never more than there is, nor less by a unit", () => {
  fc.assert(fc.property(fc.nat(), (ms) => {
    const shown = parseDuration(formatDuration(ms).replaceAll(" ", ""));
    assertEquals(shown <= ms && shown >= ms * 0.5, true);
  }));
});

const SIZES: readonly (readonly [string, number])[] = [
  ["0", 0],
  ["512", 512],
  ["512B", 512],
  ["64k", 65_536],
  ["64K", 65_536],
  ["64kB", 65_536],
  ["64KiB", 65_536],
  ["10M", 10_485_760],
  ["1.5g", 1_610_612_736],
  ["2T", 2_199_023_255_552],
];

for (const [text, bytes] of SIZES) {
  Deno.test(`size: ${text} is ${bytes} bytes`, () => {
    assertEquals(parseSize(text), bytes);
  });
}

for (
  const text of [
    "",
    "k",
    "-1",
    "1.5",
    "0.0001k",
    "1 k",
    "1e3",
    "0x10",
    "1kk",
    "9999999999999999",
    "1P",
    "∞",
  ]
) {
  Deno.test(`size: "${text}" is refused`, () => {
    assertThrows(() => parseSize(text), UsageError);
  });
}

Deno.test("size: shown with its unit", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1_048_575, "1.0 MiB"],
    [1_610_612_736, "1.5 GiB"],
    [2 ** 53, "8192.0 TiB"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatSize(bytes), text);
});
