import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MalformedError } from "../../lib/protocol/mod.ts";
import {
  encodeRatchetHeader,
  parseRatchetHeader,
  RATCHET_HEADER_BYTES,
} from "../../lib/mailbox/ratchet_header.ts";

Deno.test("ratchet header: 40 bytes, every field in its place", () => {
  const bytes = encodeRatchetHeader({
    key: new Uint8Array(32).fill(9),
    previous: 0x01020304,
    number: 0xfffefdfc,
  });
  assertEquals(RATCHET_HEADER_BYTES, 40);
  assertEquals(
    bytes.toHex(),
    "09".repeat(32) + "01020304" + "fffefdfc",
  );
});

Deno.test("ratchet header: comes back, and only from exactly 40 bytes", () => {
  fc.assert(fc.property(
    fc.uint8Array({ minLength: 0, maxLength: 80 }),
    (bytes) => {
      if (bytes.length !== 40) {
        assertThrows(() => parseRatchetHeader(bytes), MalformedError);
      } else {
        assertEquals(
          encodeRatchetHeader(parseRatchetHeader(bytes)).toHex(),
          new Uint8Array(bytes).toHex(),
        );
      }
    },
  ));
  const bytes = new Uint8Array(40).map((_, i) => i * 7);
  assertEquals(encodeRatchetHeader(parseRatchetHeader(bytes)), bytes);
  for (let length = 0; length < 40; length++) {
    assertThrows(
      () => parseRatchetHeader(bytes.subarray(0, length)),
      MalformedError,
    );
  }
});
