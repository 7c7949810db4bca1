import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { graphemes } from "../../../cmd/display_width.ts";
import type { KeyEvent, KeyName } from "../../../cmd/terminal/key.ts";
import {
  HISTORY_LIMIT,
  LineEditor,
} from "../../../cmd/terminal/line_editor.ts";

/** Plays "some text <key> more" and shows the line with a bar at the cursor. */
function play(keys: string, editor = new LineEditor()): string {
  for (const [, name, text] of keys.matchAll(/<([a-z-]+)>|([^<]+)/g)) {
    editor.apply(
      name === undefined
        ? { kind: "text", text: text! }
        : { kind: "key", name: name as KeyName },
    );
  }
  return show(editor);
}

function show({ text, cursor }: LineEditor): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

const LEFT = "<backward-char>";
const CASES: readonly (readonly [string, string])[] = [
  ["abc", "abc|"],
  [`abc${LEFT}${LEFT}x`, "ax|bc"],
  [`abc${LEFT.repeat(9)}x`, "x|abc"],
  ["abc<forward-char>", "abc|"],
  [`中👩‍👩‍👧e\u0301${LEFT}`, "中👩‍👩‍👧|e\u0301"],
  [`中👩‍👩‍👧e\u0301${LEFT}${LEFT}`, "中|👩‍👩‍👧e\u0301"],
  ["中👩‍👩‍👧<backward-delete-char>", "中|"],
  ["e\u0301<backward-delete-char>", "|"],
  [`a👍b${LEFT}${LEFT}<delete-char>`, "a|b"],
  ["<backward-delete-char><delete-char>", "|"],
  ["abc<beginning-of-line>x<end-of-line>y", "xabcy|"],
  ["one two<backward-word>", "one |two"],
  ["one, two  <backward-word>", "one, |two  "],
  ["one two<backward-word><backward-word><backward-word>", "|one two"],
  ["one two<beginning-of-line><forward-word>", "one| two"],
  ["one two<beginning-of-line><forward-word><forward-word>", "one two|"],
  ["grüße 中文<backward-word>", "grüße |中文"],
  ["one two<backward-kill-word>", "one |"],
  ["one two<backward-kill-word><yank><yank>", "one twotwo|"],
  ["one two<beginning-of-line><kill-word><end-of-line><yank>", " twoone|"],
  [`abcd${LEFT}${LEFT}<kill-line>`, "ab|"],
  [`abcd${LEFT}${LEFT}<kill-line><beginning-of-line><yank>`, "cd|ab"],
  [`abcd${LEFT}${LEFT}<backward-kill-line><end-of-line><yank>`, "cdab|"],
  ["ab<backward-kill-line><backward-kill-line><yank>", "ab|"],
  ["ab<transpose-chars>", "ba|"],
  [`abc${LEFT}<transpose-chars>`, "acb|"],
  ["a<transpose-chars>", "a|"],
  ["<transpose-chars>", "|"],
  ["a<newline>b", "a\nb|"],
  [`ab${LEFT}<end-of-file>`, "a|"],
];

for (const [keys, expected] of CASES) {
  Deno.test(`editor: ${keys.replaceAll("\n", "\\n")}`, () => {
    assertEquals(play(keys), expected);
  });
}

Deno.test("editor: Enter hands the line over and leaves an empty one", () => {
  const editor = new LineEditor();
  play(`hello${LEFT}`, editor);
  assertEquals(editor.apply({ kind: "key", name: "accept-line" }), {
    kind: "line",
    text: "hello",
  });
  assertEquals(show(editor), "|");
});

Deno.test("editor: a paste of many lines is one message", () => {
  const editor = new LineEditor();
  play("> ", editor);
  editor.apply({ kind: "paste", text: "one\ntwo\n" });
  assertEquals(editor.apply({ kind: "key", name: "accept-line" }), {
    kind: "line",
    text: "> one\ntwo\n",
  });
});

Deno.test("editor: Ctrl-D ends only on an empty line, Ctrl-L clears the screen", () => {
  const editor = new LineEditor();
  assertEquals(
    editor.apply({ kind: "key", name: "clear-screen" }).kind,
    "clear",
  );
  assertEquals(editor.apply({ kind: "key", name: "end-of-file" }).kind, "end");
  play("a", editor);
  assertEquals(editor.apply({ kind: "key", name: "end-of-file" }).kind, "edit");
});

const UP = "<previous-history>";
const DOWN = "<next-history>";
const ENTER = "<accept-line>";

Deno.test("editor: the history goes back and forth, and the draft is kept", () => {
  const editor = new LineEditor();
  play(`one${ENTER}two${ENTER}two${ENTER}  ${ENTER}draft`, editor);
  assertEquals(play(UP, editor), "two|");
  assertEquals(play(UP, editor), "one|");
  assertEquals(play(UP, editor), "one|");
  assertEquals(play(DOWN + DOWN, editor), "draft|");
  assertEquals(play(DOWN, editor), "draft|");
  // What is taken from the history and changed is a new line; the old one stays.
  assertEquals(play(`${UP}!${ENTER}${UP}${UP}`, editor), "two|");
});

Deno.test("editor: the history forgets the oldest", () => {
  const editor = new LineEditor();
  for (let i = 0; i <= HISTORY_LIMIT; i++) play(`${i}${ENTER}`, editor);
  assertEquals(play(UP.repeat(HISTORY_LIMIT + 5), editor), "1|");
});

Deno.test("editor: a long line without blanks is edited at once", () => {
  const editor = new LineEditor();
  editor.apply({ kind: "paste", text: `${"a".repeat(200_000)}!b` });
  const start = performance.now();
  for (let i = 0; i < 20; i++) {
    play(`<backward-word>${LEFT}<forward-word>x`, editor);
  }
  assert(performance.now() - start < 2000);
});

const NAMES: readonly KeyName[] = [
  "accept-line",
  "backward-char",
  "backward-delete-char",
  "backward-kill-line",
  "backward-kill-word",
  "backward-word",
  "beginning-of-line",
  "delete-char",
  "end-of-line",
  "forward-char",
  "forward-word",
  "kill-line",
  "kill-word",
  "next-history",
  "previous-history",
  "transpose-chars",
  "yank",
];

Deno.test("editor: whatever is pressed, the cursor stands between two characters", () => {
  const event: fc.Arbitrary<KeyEvent> = fc.oneof(
    fc.constantFrom(...NAMES).map((name) => ({ kind: "key" as const, name })),
    fc.constantFrom("a", " ", "中", "👩‍👩‍👧", "e\u0301", "🇩🇪 ", "❤️", "!\u0301")
      .map((text) => ({
        kind: "text" as const,
        text,
      })),
  );
  fc.assert(fc.property(fc.array(event, { maxLength: 60 }), (events) => {
    const editor = new LineEditor();
    for (const each of events) {
      editor.apply(each);
      const { text, cursor } = editor;
      let at = 0;
      const places = [0, ...graphemes(text).map((g) => at += g.length)];
      assert(places.includes(cursor), `${JSON.stringify(text)} at ${cursor}`);
    }
  }));
});
