import { assertEquals, assertThrows } from "@std/assert";
import { InterruptedError } from "../../cmd/io.ts";
import { SecretLine } from "../../cmd/secret_line.ts";
import { utf8 } from "../../lib/protocol/mod.ts";

const CASES: readonly (readonly [string, string, string])[] = [
  ["plain, Return", "secret\r", "secret"],
  ["plain, newline", "secret\n", "secret"],
  ["empty", "\r", ""],
  ["backspace takes a whole character", "aü\x7f€\b\b\x7fb\r", "b"],
  ["backspace on nothing", "\x7f\x7fa\r", "a"],
  ["Ctrl-U starts anew", "wrong\x15right\r", "right"],
  ["other control keys mean nothing", "a\x01\x0cb\r", "ab"],
  ["accents", "pässwörd👍\r", "pässwörd👍"],
];

for (const [what, keys, text] of CASES) {
  Deno.test(`secret line: ${what}`, () => {
    const whole = new SecretLine();
    assertEquals(whole.feed(utf8(keys)), new Uint8Array(0));
    assertEquals(whole.text, text);
    const single = new SecretLine();
    for (const byte of utf8(keys)) single.feed(new Uint8Array([byte]));
    assertEquals(single.text, text);
  });
}

Deno.test("secret line: what comes after the line is handed back", () => {
  const line = new SecretLine();
  assertEquals(line.feed(utf8("one\rtwo")), utf8("two"));
});

Deno.test("secret line: an arrow key is no part of the secret", () => {
  const line = new SecretLine();
  assertEquals(line.feed(utf8("ab")), null);
  assertEquals(line.feed(utf8("\x1b[D")), null);
  line.feed(utf8("c\r"));
  assertEquals(line.text, "abc");
});

Deno.test("secret line: Ctrl-C, and Ctrl-D on an empty line, interrupt", () => {
  assertThrows(() => new SecretLine().feed(utf8("ab\x03")), InterruptedError);
  assertThrows(() => new SecretLine().feed(utf8("\x04")), InterruptedError);
  const line = new SecretLine();
  line.feed(utf8("a\x04b\r"));
  assertEquals(line.text, "ab");
});
