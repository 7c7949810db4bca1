import { assert, assertEquals } from "@std/assert";
import { clockText } from "../../../../cmd/client/private/clock_text.ts";
import { textLine } from "../../../../cmd/client/private/text_line.ts";

const AT = new Date(2026, 0, 1, 9, 5, 7).getTime();
const ROUND = new Date(2026, 0, 1, 9, 5, 10).getTime();

Deno.test("private text: the states of one's own text, without and with colours", () => {
  const own = { from: undefined, text: "hello", at: AT };
  const lines = [
    textLine({ ...own, state: "queued" }, false),
    textLine({ ...own, state: "in round", round: ROUND }, false),
    textLine({ ...own, state: "exchanged", round: ROUND }, false),
    textLine({ ...own, state: "delivered", round: ROUND }, false),
    textLine({ ...own, state: "lost", round: ROUND }, false),
    textLine({ ...own, state: "lost" }, false),
  ];
  assertEquals(lines, [
    "09:05:07 you: hello  [queued]",
    "09:05:07 you: hello  [in round 09:05:10]",
    "09:05:07 you: hello  [exchanged]",
    "09:05:07 you: hello  [delivered]",
    "09:05:07 you: hello  [perhaps not delivered]",
    "09:05:07 you: hello  [not delivered]",
  ]);
  const marks = (["queued", "in round", "exchanged", "delivered"] as const)
    .map((state) => textLine({ ...own, state, round: ROUND }, true))
    // deno-lint-ignore no-control-regex -- colours are what it is about
    .map((line) => line.replace(/\x1b\[\d+m/g, "").split("hello  ")[1]);
  assertEquals(marks, ["…", "· round 09:05:10", "✓", "✓✓"]);
});

Deno.test("private text: S0.7: no text can steer a terminal, or look like somebody else's", () => {
  const text = "a\n09:05:07 you: forged\x1b]0;title\x07";
  const shown = { from: "bob\x1b[2J", text, at: AT };
  assertEquals(
    textLine(shown, false),
    "09:05:07 bob\\u{1b}[2J: a\n" +
      "         09:05:07 you: forged\\u{1b}]0;title\\u{7}",
  );
  const coloured = textLine(shown, true);
  // deno-lint-ignore no-control-regex -- colours are what it is about
  const plain = coloured.replace(/\x1b\[\d+m/g, "");
  assert(!plain.includes("\x1b"), plain);
});

Deno.test("private text: rounds are told by the second", () => {
  assertEquals(clockText(AT), "09:05:07");
});
