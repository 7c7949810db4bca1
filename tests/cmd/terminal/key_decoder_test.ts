import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { KeyEvent } from "../../../cmd/terminal/key.ts";
import { KeyDecoder, PASTE_LIMIT } from "../../../cmd/terminal/key_decoder.ts";
import { utf8 } from "../../../lib/protocol/mod.ts";

function decode(...chunks: (string | Uint8Array)[]): KeyEvent[] {
  const decoder = new KeyDecoder();
  return chunks.flatMap((chunk) =>
    decoder.feed(typeof chunk === "string" ? utf8(chunk) : chunk)
  );
}

/** Events in short: text as it is, keys as <name>, pastes as {text}; cut text is joined. */
function short(events: readonly KeyEvent[]): string {
  return events.map((event) =>
    event.kind === "key"
      ? `<${event.name}>`
      : event.kind === "text"
      ? event.text
      : `{${event.text}}`
  ).join("");
}

const CASES: readonly (readonly [string, string])[] = [
  ["hello wörld 中👍", "hello wörld 中👍"],
  [
    "a\rb\x7f\x08",
    "a<accept-line>b<backward-delete-char><backward-delete-char>",
  ],
  [
    "\x01\x05\x02\x06",
    "<beginning-of-line><end-of-line><backward-char><forward-char>",
  ],
  [
    "\x0b\x15\x17\x19",
    "<kill-line><backward-kill-line><backward-kill-word><yank>",
  ],
  ["\x04\x0c\x14", "<end-of-file><clear-screen><transpose-chars>"],
  ["\x1b[A\x1bOB", "<previous-history><next-history>"],
  ["\x1b[1;5C\x1bb", "<forward-word><backward-word>"],
  ["\x1b[3~\x1b[H\x1bOF", "<delete-char><beginning-of-line><end-of-line>"],
  ["\x1b\r\x0ax", "<newline><newline>x"],
  ["x\x1b[200~one\r\ntwo\rthree\n\x1b[201~y", "x{one\ntwo\nthree\n}y"],
  ["\x1b[200~a\x1b[31mb\x07\tc\x1b[201~", "{a[31mb    c}"],
  ["\x1b[200~\x1b[201~x", "x"],
  ["\x1b[24~\x1b[99;99u\x1bzx", "x"], // F12, a strange key, Alt-z
  ["\x1b[<0;1;2Mx", "x"], // a mouse
  ["\x1b\x1b[Ax", "<previous-history>x"],
  ["\x1b[\rx", "<accept-line>x"],
  ["\x00\x1c\x03\x85x", "x"],
];

for (const [bytes, expected] of CASES) {
  Deno.test(`keys: ${JSON.stringify(bytes)}`, () => {
    assertEquals(short(decode(bytes)), expected);
    // However the bytes are cut, the same is meant.
    const all = utf8(bytes);
    for (let at = 0; at <= all.length; at++) {
      assertEquals(
        short(decode(all.subarray(0, at), all.subarray(at))),
        expected,
      );
    }
    assertEquals(
      short(decode(...Array.from(all, (byte) => Uint8Array.of(byte)))),
      expected,
    );
  });
}

Deno.test("keys: characters that come together are one event", () => {
  assertEquals(decode("abc\rd"), [
    { kind: "text", text: "abc" },
    { kind: "key", name: "accept-line" },
    { kind: "text", text: "d" },
  ]);
});

Deno.test("keys: a lone Escape is given up, not kept for the next key", () => {
  const decoder = new KeyDecoder();
  assertEquals(decoder.feed(utf8("\x1b")), []);
  assert(decoder.waits);
  decoder.giveUp();
  assert(!decoder.waits);
  assertEquals(short(decoder.feed(utf8("[A"))), "[A");
});

Deno.test("keys: a paste that is not finished waits for its end, however long", () => {
  const decoder = new KeyDecoder();
  decoder.feed(utf8("\x1b[200~abc\x1b[20"));
  assert(!decoder.waits);
  decoder.giveUp();
  assertEquals(short(decoder.feed(utf8("1~x"))), "{abc}x");
});

Deno.test("keys: a paste beyond the limit is cut, an endless sequence ends", () => {
  const decoder = new KeyDecoder();
  decoder.feed(utf8("\x1b[200~"));
  for (let i = 0; i < 5; i++) decoder.feed(utf8("x".repeat(100_000)));
  const [paste] = decoder.feed(utf8("\x1b[201~"));
  assertEquals(paste?.kind === "paste" && paste.text.length, PASTE_LIMIT);
  const endless = new KeyDecoder();
  endless.feed(utf8(`\x1b[${"1".repeat(40)}`));
  assert(!endless.waits);
  assertEquals(short(endless.feed(utf8("x"))), "x");
});

Deno.test("keys: random bytes never throw and never type a control character", () => {
  fc.assert(fc.property(
    fc.array(fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.constantFrom("\x1b[200~", "\x1b[201~", "\x1b[", "\x1bO", "\x1b").map(
        utf8,
      ),
    )),
    (chunks) => {
      for (const event of decode(...chunks)) {
        if (event.kind === "key") continue;
        assert(!/[\p{Cc}\p{Cs}]/u.test(event.text.replaceAll("\n", "")));
        assert(event.kind === "paste" || !event.text.includes("\n"));
      }
    },
  ));
});
