import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";
import { Reader } from "../../../lib/protocol/bytes/reader.ts";

const BYTES = new Uint8Array(64).map((_, i) => i + 1);

/** Every way of reading, with how many bytes it takes. */
const READS: readonly (readonly [string, number, (r: Reader) => unknown])[] = [
  ["u8", 1, (r) => r.u8()],
  ["u16", 2, (r) => r.u16()],
  ["u32", 4, (r) => r.u32()],
  ["u64", 8, (r) => r.u64()],
  ["take(0)", 0, (r) => r.take(0)],
  ["take(5)", 5, (r) => r.take(5)],
];

Deno.test("Reader: integers are big-endian, and what is taken moves it on", () => {
  const reader = new Reader(BYTES);
  assertEquals(reader.u8(), 0x01);
  assertEquals(reader.u16(), 0x0203);
  assertEquals(reader.u32(), 0x04050607);
  assertEquals(reader.u64(), 0x08090a0b0c0d0e0fn);
  assertEquals(reader.take(2).toHex(), "1011");
  assertEquals(reader.left, 64 - 17);
  assertEquals(reader.rest().length, 64 - 17);
  assertEquals(reader.left, 0);
  reader.end();
});

for (const [name, size, read] of READS) {
  Deno.test(`Reader: ${name} needs exactly ${size} bytes and leaves a short input where it stood`, () => {
    for (let length = 0; length < size; length++) {
      const reader = new Reader(BYTES.subarray(0, length));
      assertThrows(() => read(reader), MalformedError);
      assertEquals(reader.left, length);
    }
    const exact = new Reader(BYTES.subarray(0, size));
    read(exact);
    exact.end();
  });
}

Deno.test("Reader: end insists that nothing is left", () => {
  new Reader(new Uint8Array(0)).end();
  const error = assertThrows(
    () => new Reader(new Uint8Array(1)).end(),
    MalformedError,
  );
  assertEquals(error.code, "ERR_MALFORMED");
});

Deno.test("Reader: reads a view's own bytes, not those around it", () => {
  const reader = new Reader(BYTES.subarray(8, 12));
  assertEquals(reader.u16(), 0x090a);
  assertEquals(reader.rest().toHex(), "0b0c");
  assertThrows(() => reader.u8(), MalformedError);
});

Deno.test("Reader: what was taken is a copy in a buffer of its own size", () => {
  const bytes = BYTES.slice();
  const reader = new Reader(bytes);
  const taken = reader.take(4);
  const rest = reader.rest();
  bytes.fill(0);
  assertEquals(taken.toHex(), "01020304");
  assertEquals(taken.buffer.byteLength, 4);
  assertEquals(rest[0], 5);
});

for (const size of [1, 2, 4] as const) {
  Deno.test(`Reader: a field behind ${size} bytes of length obeys its limit before its length`, () => {
    const head = (length: number) => {
      const bytes = new Uint8Array(size + 10);
      const view = new DataView(bytes.buffer);
      if (size === 1) view.setUint8(0, length);
      else if (size === 2) view.setUint16(0, length);
      else view.setUint32(0, length);
      return bytes;
    };
    assertEquals(new Reader(head(10)).prefixed(size, 10).length, 10);
    assertEquals(new Reader(head(0)).prefixed(size, 0).length, 0);
    assertThrows(
      () => new Reader(head(11)).prefixed(size, 100),
      MalformedError,
      "only 10 are left",
    );
    assertThrows(
      () => new Reader(head(10)).prefixed(size, 9),
      MalformedError,
      "at most 9",
    );
    const longest = 2 ** (8 * size) - 1;
    assertThrows(
      () => new Reader(head(longest)).prefixed(size, longest),
      MalformedError,
    );
  });
}

Deno.test("Reader: any sequence of reads on any bytes ends in MalformedError or at the end", () => {
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.nat(READS.length + 2), { maxLength: 12 }),
    (bytes, calls) => {
      const reader = new Reader(bytes);
      try {
        for (const call of calls) {
          const before = reader.left;
          const [, size, read] = READS[call] ?? [];
          if (read !== undefined) {
            read(reader);
            assertEquals(reader.left, before - size!);
          } else if (call === READS.length) reader.prefixed(1, 20);
          else if (call === READS.length + 1) reader.prefixed(2, 20);
          else reader.prefixed(4, 20);
        }
        reader.rest();
        reader.end();
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error;
      }
    },
  ));
});
