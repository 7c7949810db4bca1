import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  BODY_BYTES,
  CELL,
  decodeHeaders,
  DESTROY_REASONS,
  destroyReason,
  encodeHeaders,
  HEADER_BYTES,
  HEADERS_LIMIT,
  HOPS_LIMIT,
  LARGE,
  LAYER_OVERHEAD,
  sealedLength,
  SMALL,
  UNIT_BYTES,
  UNITS,
} from "../../../lib/onion/cell/cell.ts";
import type { CellHeader } from "../../../lib/onion/cell/cell.ts";
import { MalformedError, RECORD_LIMIT } from "../../../lib/protocol/mod.ts";

const header: fc.Arbitrary<CellHeader> = fc.record({
  circuit: fc.integer({ min: 1, max: 0xffff_ffff }),
  command: fc.integer({ min: CELL.CREATE, max: CELL.DESTROY }),
  size: fc.constantFrom(SMALL, LARGE),
  detail: fc.integer({ min: 0, max: 0xffff }),
});
const padding: CellHeader = {
  circuit: 0,
  command: CELL.PADDING,
  size: SMALL,
  detail: 0,
};

Deno.test("headers come out as they went in", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(header, fc.constant(padding)), {
        minLength: 1,
        maxLength: HEADERS_LIMIT,
      }),
      (headers) => {
        const bytes = encodeHeaders(headers);
        assertEquals(bytes.length, headers.length * HEADER_BYTES);
        assertEquals(decodeHeaders(bytes), headers);
        // A view into other bytes is read as well.
        const around = new Uint8Array(bytes.length + 7);
        around.set(bytes, 3);
        assertEquals(
          decodeHeaders(around.subarray(3, 3 + bytes.length)),
          headers,
        );
      },
    ),
  );
});

Deno.test("a header is 8 bytes: circuit, command, size, detail", () => {
  const bytes = encodeHeaders([
    { circuit: 0x01020304, command: CELL.DESTROY, size: LARGE, detail: 0x0506 },
  ]);
  assertEquals(bytes.toHex(), "0102030404010506");
});

Deno.test("no headers, parts of one, and too many are refused", () => {
  for (const count of [1, 2, HEADERS_LIMIT]) {
    const whole = encodeHeaders(Array(count).fill(padding));
    decodeHeaders(whole);
    for (let length = 0; length < whole.length; length++) {
      if (length > 0 && length % HEADER_BYTES === 0) continue;
      assertThrows(() => decodeHeaders(whole.slice(0, length)), MalformedError);
    }
  }
  assertThrows(
    () => decodeHeaders(encodeHeaders(Array(HEADERS_LIMIT + 1).fill(padding))),
    MalformedError,
  );
});

Deno.test("random bytes are headers that are written the same again, or are refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (random) => {
      const bytes = new Uint8Array(random);
      let headers;
      try {
        headers = decodeHeaders(bytes);
      } catch (error) {
        return assert(error instanceof MalformedError);
      }
      assertEquals(encodeHeaders(headers), bytes);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("unknown commands and sizes, and cells with no circuit or padding with one, are refused", () => {
  for (const command of [CELL.DESTROY + 1, 0x7f, 0xff]) {
    const bytes = encodeHeaders([{ ...padding, circuit: 1, command }]);
    assertThrows(() => decodeHeaders(bytes), MalformedError);
  }
  for (const size of [2, 0xff]) {
    const bytes = encodeHeaders([padding]);
    bytes[5] = size;
    assertThrows(() => decodeHeaders(bytes), MalformedError);
  }
  const none = encodeHeaders([{ ...padding, command: CELL.RELAY }]);
  assertThrows(() => decodeHeaders(none), MalformedError);
  const some = encodeHeaders([{ ...padding, circuit: 1 }]);
  assertThrows(() => decodeHeaders(some), MalformedError);
});

Deno.test("reasons of DESTROY are their numbers; what nobody knows is internal", () => {
  for (const [number, reason] of DESTROY_REASONS.entries()) {
    assertEquals(destroyReason(number), reason);
  }
  assertEquals(destroyReason(DESTROY_REASONS.length), "internal");
  assertEquals(destroyReason(0xffff), "internal");
});

Deno.test("sizes: bodies fit into records, units count them, and every hop takes one layer off", () => {
  for (const size of [SMALL, LARGE] as const) {
    assert(BODY_BYTES[size] <= RECORD_LIMIT);
    assertEquals(UNITS[size] * UNIT_BYTES, BODY_BYTES[size]);
    assertEquals(sealedLength(size, 1), BODY_BYTES[size]);
    for (let position = 1; position <= HOPS_LIMIT; position++) {
      assertEquals(
        sealedLength(size, position) - sealedLength(size, position + 1),
        LAYER_OVERHEAD,
      );
      assert(sealedLength(size, position) > LAYER_OVERHEAD);
    }
  }
});
