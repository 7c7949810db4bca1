import { assertEquals, assertNotEquals } from "@std/assert";
import { randomBytes } from "../../../lib/protocol/crypto/random.ts";

Deno.test("random: any length, beyond what WebCrypto gives in a call, filled to the last byte", () => {
  for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
    const bytes = randomBytes(length);
    assertEquals(bytes.length, length);
    // Sixteen zero bytes at either end come once in 2^128 times.
    if (length >= 16) {
      assertNotEquals(bytes.slice(-16), new Uint8Array(16));
      assertNotEquals(bytes.slice(0, 16), new Uint8Array(16));
    }
  }
});

Deno.test("random: every byte value comes up, and no two strings are alike", () => {
  assertEquals(new Set(randomBytes(65_536)).size, 256);
  const seen = new Set(
    Array.from({ length: 1_000 }, () => randomBytes(16).toHex()),
  );
  assertEquals(seen.size, 1_000);
});
