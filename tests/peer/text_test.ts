import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { concat, MalformedError, utf8 } from "../../lib/protocol/mod.ts";
import {
  cutText,
  FLAG_CONTINUED,
  FLAG_MORE,
  joinText,
  TEXT_LIMIT,
  TEXT_PARTS_LIMIT,
} from "../../lib/peer/mod.ts";

const ID = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
const SENT_AT = 1_800_000_000_123;

function cut(text: string): ReturnType<typeof cutText> {
  return cutText({ id: ID, sentAt: SENT_AT, text });
}

Deno.test("text: id, time and UTF-8 stand in the first payload", () => {
  const [only, ...rest] = cut("hé");
  assertEquals(rest, []);
  assertEquals(only!.flags, 0);
  assertEquals(
    only!.payload.toHex(),
    "0102030405060708" + SENT_AT.toString(16).padStart(16, "0") + "68c3a9",
  );
});

Deno.test("text: cut and joined at every edge", () => {
  assertEquals(TEXT_LIMIT, 65_536);
  assertEquals(TEXT_PARTS_LIMIT, 165);
  const lengths = [0, 1, 382, 383, 384, 782, 783, 65_535, 65_536];
  const counts = [1, 1, 1, 1, 2, 2, 3, 165, 165];
  for (const [i, length] of lengths.entries()) {
    const text = "a".repeat(length);
    const parts = cut(text);
    assertEquals(parts.length, counts[i]!, `${length}`);
    for (const [at, { flags, payload }] of parts.entries()) {
      const last = at === parts.length - 1;
      assertEquals(
        flags,
        (at > 0 ? FLAG_CONTINUED : 0) | (last ? 0 : FLAG_MORE),
      );
      assert(last ? payload.length > 0 : payload.length === 399);
    }
    assertEquals(joinText(parts.map(({ payload }) => payload)), {
      id: ID,
      sentAt: SENT_AT,
      text,
    });
  }
  assertThrows(() => cut("a".repeat(65_537)), RangeError, "65537 bytes");
  assertThrows(() => cut("é".repeat(32_769)), RangeError, "65538 bytes");
});

Deno.test("text: whatever people write comes back, cut where it may", () => {
  fc.assert(fc.property(
    fc.string({ unit: "binary", maxLength: 900 }),
    fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    (text, sentAt) => {
      const parts = cutText({ id: ID, sentAt, text });
      const joined = joinText(parts.map(({ payload }) => payload));
      assertEquals(joined, { id: ID, sentAt, text });
    },
  ));
  for (
    const text of ["\ufeffmark first", "\0\u202e\u001b[31m", "👩‍👩‍👧‍👦".repeat(60)]
  ) {
    assertEquals(joinText(cut(text).map(({ payload }) => payload)).text, text);
  }
});

Deno.test("text: payloads that no text gives are malformed", () => {
  const head = concat(ID, new Uint8Array(8));
  const full = new Uint8Array(399).fill(0x61);
  const late = concat(ID, new Uint8Array(8).fill(0xff));
  const first = concat(head, full.slice(0, 383));
  const bad: readonly Bytes[][] = [
    [],
    [head.slice(0, 15)],
    [late],
    [concat(head, new Uint8Array([0xff]))],
    [concat(head, utf8("é").slice(0, 1))],
    [first.slice(0, 398), full],
    [first, full.slice(0, 398), full],
    [first, new Uint8Array(0)],
    [first, ...Array<Bytes>(163).fill(full), full.slice(0, 117)],
    [first, ...Array<Bytes>(164).fill(full)],
  ];
  for (const payloads of bad) {
    assertThrows(() => joinText(payloads), MalformedError);
  }
  // The longest there is, to see that the limit is exact.
  const longest = [
    first,
    ...Array<Bytes>(163).fill(full),
    full.slice(0, 116),
  ];
  assertEquals(joinText(longest).text.length, 65_536);
});
