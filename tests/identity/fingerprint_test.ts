import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatFingerprint, parseFingerprint } from "../../lib/identity/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";

const DIGEST = Uint8Array.from({ length: 32 }, (_, i) => i);
// base32 of the bytes 0 to 31, by Python's base64.b32encode.
const WORD = "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq";

Deno.test("S0.2: a fingerprint is shown in 13 groups of four", () => {
  assertEquals(formatFingerprint(DIGEST, ""), WORD);
  const grouped = formatFingerprint(DIGEST);
  assertEquals(grouped.split(" ").map((g) => g.length), Array(13).fill(4));
  assertEquals(grouped.replaceAll(" ", ""), WORD);
});

Deno.test("fingerprint: what people type reads back", () => {
  const typed = [
    WORD,
    WORD.toUpperCase(),
    formatFingerprint(DIGEST),
    formatFingerprint(DIGEST, "-"),
    `  ${formatFingerprint(DIGEST, "\t")}\n`,
  ];
  for (const text of typed) assertEquals(parseFingerprint(text), DIGEST);
});

Deno.test("fingerprint: another length, other characters, spare bits", () => {
  const wrong = [
    "",
    WORD.slice(1),
    WORD + "a",
    WORD + "====",
    WORD.replace("a", "0"),
    WORD.replace("a", "1"),
    WORD.replace("a", "ä"),
    WORD.replace("a", "_"),
    // The last character carries one bit of the digest and four that must be zero.
    ...[..."abcdefghijklmnoprstuvwxyz234567"]
      .filter((c) => c !== "a")
      .map((c) => WORD.slice(0, -1) + c),
  ];
  for (const text of wrong) {
    assertThrows(() => parseFingerprint(text), MalformedError);
  }
  for (const length of [0, 31, 33]) {
    assertThrows(() => formatFingerprint(new Uint8Array(length)), RangeError);
  }
});

Deno.test("fingerprint: every 32 bytes read back", () => {
  const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(fc.property(digests, (digest) => {
    const bytes = new Uint8Array(digest);
    assertEquals(parseFingerprint(formatFingerprint(bytes)), bytes);
  }));
});
