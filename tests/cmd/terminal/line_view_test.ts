import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { displayWidth, graphemes } from "../../../cmd/display_width.ts";
import { viewLine } from "../../../cmd/terminal/line_view.ts";

Deno.test("view: a short line is shown whole, the cursor where it is", () => {
  assertEquals(viewLine("bob> ", "hello", 5, 40), {
    row: "bob> hello",
    column: 10,
  });
  assertEquals(viewLine("> ", "中文", 1, 40), { row: "> 中文", column: 4 });
  assertEquals(viewLine("> ", "", 0, 40), { row: "> ", column: 2 });
});

Deno.test("view: line breaks and hostile characters are shown, not obeyed", () => {
  assertEquals(viewLine("> ", "a\nb\u202ec", 1, 40), {
    row: "> a↵b\\u{202e}c",
    column: 3,
  });
});

Deno.test("view: of a long line the end is shown while one types there", () => {
  const text = "0123456789".repeat(5);
  const { row, column } = viewLine("> ", text, text.length, 20);
  assertEquals(row, `> ${text.slice(-16)}`);
  assertEquals(column, 18);
});

Deno.test("view: in the middle of a long line both sides are shown", () => {
  const text = "0123456789".repeat(5);
  const { row, column } = viewLine("> ", text, 25, 20);
  assertEquals(row[column], text[25]);
  assertEquals(row[column - 1], text[24]);
  assertEquals(row.length, 19);
});

Deno.test("view: it never reaches the last column, and the cursor is in it", () => {
  fc.assert(fc.property(
    fc.string({
      unit: fc.constantFrom("a", "中", "👍", "\n", "e\u0301"),
      maxLength: 80,
    }),
    fc.nat(),
    fc.integer({ min: 8, max: 60 }),
    fc.constantFrom("", "> ", "a long prompt of bob> "),
    (text, seed, columns, prompt) => {
      let at = 0;
      const places = [0, ...graphemes(text).map((each) => at += each.length)];
      const cursor = places[seed % places.length]!;
      const { row, column } = viewLine(prompt, text, cursor, columns);
      assert(displayWidth(row) < columns, `${displayWidth(row)} of ${columns}`);
      assert(column < columns && column <= displayWidth(row));
    },
  ));
});

Deno.test("view: a line of a quarter of a million characters costs no time", () => {
  const text = "x".repeat(250_000);
  const start = performance.now();
  for (let i = 0; i < 50; i++) viewLine("> ", text, 125_000 + i, 80);
  assert(performance.now() - start < 1000);
});
