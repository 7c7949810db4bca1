import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { displayWidth } from "../../cmd/display_width.ts";
import { wrapText } from "../../cmd/wrap_text.ts";

Deno.test("wrap: between words, with what the line began with", () => {
  assertEquals(wrapText("one two three", 7), "one two\nthree");
  assertEquals(wrapText("one two three", 8), "one two\nthree");
  assertEquals(
    wrapText("  one two\n\n    x y", 6),
    "  one\n  two\n\n    x\n    y",
  );
  assertEquals(wrapText("unbreakable", 4), "unbreakable");
  assertEquals(wrapText("a unbreakable b", 4), "a\nunbreakable\nb");
  assertEquals(wrapText("日本 日本", 5), "日本\n日本");
  assertEquals(wrapText("", 5), "");
});

Deno.test("wrap: no line is wider unless it is a word, and no word is lost", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "é", "日") });
  fc.assert(fc.property(
    fc.array(word.filter((each) => each !== ""), { minLength: 1 }),
    fc.integer({ min: 1, max: 30 }),
    (words, columns) => {
      const wrapped = wrapText(words.join(" "), columns);
      assertEquals(wrapped.split(/[ \n]/), words);
      for (const line of wrapped.split("\n")) {
        assert(displayWidth(line) <= columns || !line.includes(" "));
      }
    },
  ));
});
