import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  concat,
  equalConstantTime,
  fromUtf8,
  u32,
  u64,
  utf8,
} from "../../../lib/protocol/bytes/bytes.ts";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";

Deno.test("bytes: text comes back from UTF-8, whatever it is", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    assertEquals(fromUtf8(utf8(text)), text);
  }));
});

Deno.test("bytes: what is not UTF-8 is refused, never replaced", () => {
  for (
    const hex of [
      "80", // a continuation byte alone
      "c0af", // overlong "/"
      "e08080", // overlong NUL
      "eda080", // a surrogate
      "f4908080", // beyond U+10FFFF
      "ff",
      "e282", // cut short
    ]
  ) assertThrows(() => fromUtf8(Uint8Array.fromHex(hex)), MalformedError);
});

Deno.test("bytes: a byte order mark is part of a text, so that two byte strings never read alike", () => {
  assertEquals(fromUtf8(Uint8Array.fromHex("efbbbf61")), "\ufeffa");
});

Deno.test("bytes: concat puts parts behind each other in an array of its own", () => {
  assertEquals(concat(), new Uint8Array(0));
  const part = new Uint8Array([1, 2, 3]);
  const whole = concat(part, new Uint8Array(0), part.subarray(1));
  assertEquals(whole, new Uint8Array([1, 2, 3, 2, 3]));
  whole[0] = 9;
  assertEquals(part[0], 1);
  fc.assert(fc.property(fc.array(fc.uint8Array()), (parts) => {
    assertEquals([...concat(...parts)], parts.flatMap((each) => [...each]));
  }));
});

Deno.test("bytes: equality holds for equal bytes and fails for every flipped bit and every other length", () => {
  const a = new Uint8Array(33).map((_, i) => i * 31);
  assert(equalConstantTime(a, a.slice()));
  assert(equalConstantTime(new Uint8Array(0), new Uint8Array(0)));
  for (let bit = 0; bit < a.length * 8; bit++) {
    const b = a.slice();
    b[bit >> 3]! ^= 1 << (bit & 7);
    assert(!equalConstantTime(a, b), `bit ${bit}`);
  }
  for (let length = 0; length < a.length; length++) {
    assert(!equalConstantTime(a, a.subarray(0, length)));
    assert(!equalConstantTime(a.subarray(0, length), a));
  }
});

Deno.test("bytes: equality looks at a view's own bytes only", () => {
  const whole = new Uint8Array([1, 2, 3, 1, 2, 4]);
  assert(equalConstantTime(whole.subarray(0, 2), whole.subarray(3, 5)));
  assert(!equalConstantTime(whole.subarray(0, 3), whole.subarray(3, 6)));
});

Deno.test("bytes: integers are big-endian", () => {
  assertEquals(u32(0x01020304).toHex(), "01020304");
  assertEquals(u32(0xffffffff).toHex(), "ffffffff");
  assertEquals(u64(0x0102030405060708n).toHex(), "0102030405060708");
  assertEquals(u64(0xffffffffffffffffn).toHex(), "ffffffffffffffff");
});
