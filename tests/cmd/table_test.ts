import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { displayWidth, fitWidth } from "../../cmd/display_width.ts";
import { formatTable } from "../../cmd/table.ts";

const WIDTHS: readonly (readonly [string, number])[] = [
  ["", 0],
  ["abc", 3],
  ["é", 1],
  ["e\u0301", 1],
  ["中文", 4],
  ["한", 2],
  ["ｱ", 1],
  ["Ａ", 2],
  ["👍", 2],
  ["👩‍👩‍👧", 2],
  ["🇩🇪", 2],
  ["❤️", 2],
  ["\u200d", 0],
];

for (const [text, width] of WIDTHS) {
  Deno.test(`width: "${text}" takes ${width}`, () => {
    assertEquals(displayWidth(text), width);
  });
}

Deno.test("width: fitted text never takes more", () => {
  fc.assert(fc.property(
    fc.string({ unit: "grapheme" }),
    fc.nat({ max: 30 }),
    (text, cells) => {
      const clean = text.replace(/\p{Cc}/gu, "");
      assert(displayWidth(fitWidth(clean, cells)) <= cells);
    },
  ));
  assertEquals(fitWidth("abcdef", 4), "abc…");
  assertEquals(fitWidth("中文字", 4), "中…");
  assertEquals(fitWidth("abcd", 4), "abcd");
});

Deno.test("table: columns line up, numbers to the right, no blanks at the end", () => {
  const columns = [
    { title: "NAME" },
    { title: "SIZE", align: "right" },
    { title: "NOTE" },
  ] as const;
  const rows = [["中文", "12", "x"], ["bob", "1048576", ""]];
  assertEquals(
    formatTable(columns, rows),
    "NAME     SIZE  NOTE\n" +
      "中文       12  x\n" +
      "bob   1048576\n",
  );
});

Deno.test("table: the last column is cut to the width, and cells cannot forge lines", () => {
  const columns = [{ title: "A" }, { title: "B" }];
  const rows = [["x\ny", "0123456789ABCDEF"]];
  assertEquals(
    formatTable(columns, rows, 20),
    "A        B\nx\\u{a}y  0123456789…\n",
  );
});

Deno.test("table: no rows, only titles", () => {
  assertEquals(formatTable([{ title: "A" }], []), "A\n");
});
