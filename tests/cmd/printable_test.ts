import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { printable, printableLines } from "../../cmd/printable.ts";

const HOSTILE: readonly (readonly [string, string, string])[] = [
  ["colour", "\x1b[31mred", "\\u{1b}[31mred"],
  ["terminal title", "\x1b]0;you\x07", "\\u{1b}]0;you\\u{7}"],
  ["8-bit CSI", "\x9b2J", "\\u{9b}2J"],
  ["cursor to the start", "bob\rmallory", "bob\\u{d}mallory"],
  ["forged line", "hi\nsotto: ok", "hi\\u{a}sotto: ok"],
  ["backspace", "ok\b\bno", "ok\\u{8}\\u{8}no"],
  ["delete and NUL", "\x7f\0", "\\u{7f}\\u{0}"],
  ["right-to-left override", "exe.\u202Egpj", "exe.\\u{202e}gpj"],
  ["isolates", "\u2066a\u2069", "\\u{2066}a\\u{2069}"],
  ["direction marks", "\u200e\u200f\u061c", "\\u{200e}\\u{200f}\\u{61c}"],
  ["zero-width space", "al\u200bice", "al\\u{200b}ice"],
  ["byte order mark", "\ufeffa", "\\u{feff}a"],
  ["line separator", "a\u2028b\u2029", "a\\u{2028}b\\u{2029}"],
  ["tags", "a\u{e0041}", "a\\u{e0041}"],
  ["lone surrogate", "a\ud800b", "a\\u{d800}b"],
];

for (const [what, text, shown] of HOSTILE) {
  Deno.test(`printable: ${what} is shown, not obeyed`, () => {
    assertEquals(printable(text), shown);
  });
}

const HARMLESS = [
  "",
  "plain ~ text",
  "Grüße, naïve",
  "中文 日本語 한국어",
  "שלום مرحبا",
  "می‌خواهم", // with a zero-width non-joiner
  "👩‍👩‍👧 ❤️ 🇩🇪",
  "e\u0301",
];

for (const text of HARMLESS) {
  Deno.test(`printable: "${text}" stays`, () => {
    assertEquals(printable(text), text);
    assertEquals(printableLines(text), text);
  });
}

Deno.test("printable: lines stay lines, and only those", () => {
  assertEquals(
    printableLines("a\r\nb\tc\n\x1b[0m\rd"),
    "a\nb    c\n\\u{1b}[0m\\u{d}d",
  );
});

Deno.test("printable: no control character is left of any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert(!/[\p{Cc}\p{Cs}\p{Bidi_Control}]/u.test(printable(text)));
    assert(
      !/[\p{Cc}\p{Cs}]/u.test(printableLines(text).replaceAll("\n", "")),
    );
  }));
});
