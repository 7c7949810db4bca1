import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { concat, MalformedError } from "../../lib/protocol/mod.ts";
import {
  encodeEnvelope,
  FOLLOWING_LETTER_BYTES,
  OPENING_LETTER_BYTES,
  parseLetter,
} from "../../lib/mailbox/letter.ts";

const ID = new Uint8Array(8).fill(1);
const HEADER = new Uint8Array(40).fill(2);
const BLOCK = new Uint8Array(1164).fill(3);
const SEALED = new Uint8Array(496).fill(4);

const KINDS = [
  { block: BLOCK, size: OPENING_LETTER_BYTES, expected: 1710, kind: 0 },
  { block: null, size: FOLLOWING_LETTER_BYTES, expected: 546, kind: 1 },
];

for (const { block, size, expected, kind } of KINDS) {
  Deno.test(`S3.4: letter of kind ${kind}: ${expected} bytes, every field in its place`, () => {
    const envelope = encodeEnvelope({ sessionId: ID, header: HEADER, block });
    const bytes = concat(envelope, SEALED);
    assertEquals(size, expected);
    assertEquals(bytes.length, expected);
    assertEquals(
      bytes.toHex(),
      "01" + `0${kind}` + "01".repeat(8) + "02".repeat(40) +
        (block === null ? "" : "03".repeat(1164)) + "04".repeat(496),
    );
    assertEquals(parseLetter(bytes), {
      sessionId: ID,
      header: HEADER,
      block,
      envelope,
      sealed: SEALED,
    });
    // A view into a larger buffer, as a record of the channel is.
    const inside = new Uint8Array(bytes.length + 20);
    inside.set(bytes, 10);
    assertEquals(
      parseLetter(inside.subarray(10, 10 + bytes.length)).envelope,
      envelope,
    );
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(
        () => parseLetter(bytes.subarray(0, length)),
        MalformedError,
      );
    }
    assertThrows(
      () => parseLetter(concat(bytes, new Uint8Array(1))),
      MalformedError,
    );
    // The other kind has another length.
    const other = bytes.slice();
    other[1] = 1 - kind;
    assertThrows(() => parseLetter(other), MalformedError);
  });
}

Deno.test("letter: unknown versions and kinds are malformed", () => {
  const bytes = new Uint8Array(FOLLOWING_LETTER_BYTES);
  for (const [version, kind] of [[0, 1], [2, 1], [1, 2], [1, 255]] as const) {
    bytes[0] = version;
    bytes[1] = kind;
    assertThrows(
      () => parseLetter(bytes),
      MalformedError,
      `version ${version}, kind ${kind}`,
    );
  }
});

Deno.test("letter: random bytes parse or are malformed, nothing else", () => {
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 2000 }),
    fc.constantFrom(-1, 0, 1),
    fc.constantFrom(546, 1710),
    (raw, off, length) => {
      const bytes = new Uint8Array(length + off);
      bytes.set(raw.subarray(0, bytes.length));
      bytes[0] = 1;
      bytes[1]! &= 1;
      const fits = off === 0 && (length === 546) === (bytes[1] === 1);
      if (fits) {
        const { envelope, sealed } = parseLetter(bytes);
        assertEquals(concat(envelope, sealed).toHex(), bytes.toHex());
      } else assertThrows(() => parseLetter(bytes), MalformedError);
    },
  ));
});
