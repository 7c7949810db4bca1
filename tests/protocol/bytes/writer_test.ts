import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Reader } from "../../../lib/protocol/bytes/reader.ts";
import { Writer } from "../../../lib/protocol/bytes/writer.ts";

/** Every way of writing, and what it must leave. */
const WRITES: readonly (readonly [string, (w: Writer) => Writer, string])[] = [
  ["u8", (w) => w.u8(0xab), "ab"],
  ["u16", (w) => w.u16(0xabcd), "abcd"],
  ["u32", (w) => w.u32(0xabcdef01), "abcdef01"],
  ["u64", (w) => w.u64(0xabcdef0123456789n), "abcdef0123456789"],
  ["bytes", (w) => w.bytes(new Uint8Array([1, 2, 3])), "010203"],
  ["no bytes", (w) => w.bytes(new Uint8Array(0)), ""],
  ["prefixed by 1", (w) => w.prefixed(1, new Uint8Array([7, 8])), "020708"],
  ["prefixed by 2", (w) => w.prefixed(2, new Uint8Array([7, 8])), "00020708"],
  [
    "prefixed by 4",
    (w) => w.prefixed(4, new Uint8Array([7, 8])),
    "000000020708",
  ],
];

for (const [name, write, hex] of WRITES) {
  // Growing replaces the buffer: a write that had looked at the old one would be lost.
  Deno.test(`Writer: ${name} is written whole at every fill of every small capacity`, () => {
    for (let capacity = 0; capacity <= 20; capacity++) {
      for (let before = 0; before <= 20; before++) {
        const writer = new Writer(capacity);
        for (let i = 0; i < before; i++) writer.u8(0xee);
        write(write(writer));
        assertEquals(
          writer.done().toHex(),
          "ee".repeat(before) + hex + hex,
          `capacity ${capacity}, ${before} bytes before`,
        );
        assertEquals(writer.length, before + hex.length);
      }
    }
  });
}

Deno.test("Writer: grows far past its capacity in one write and in many", () => {
  const large = new Uint8Array(100_000).map((_, i) => i);
  assertEquals(new Writer(1).bytes(large).done(), large);
  const writer = new Writer(1);
  for (const byte of large) writer.u8(byte);
  assertEquals(writer.done(), large);
});

Deno.test("Writer: integers must fit", () => {
  const writer = new Writer();
  const cases: readonly (readonly [(n: number) => Writer, number])[] = [
    [(n) => writer.u8(n), 0xff],
    [(n) => writer.u16(n), 0xffff],
    [(n) => writer.u32(n), 0xffffffff],
  ];
  for (const [write, most] of cases) {
    for (const bad of [-1, most + 1, 0.5, NaN, Infinity, -Infinity, 2 ** 53]) {
      assertThrows(() => write(bad), RangeError);
    }
  }
  assertThrows(() => writer.u64(-1n), RangeError);
  assertThrows(() => writer.u64(1n << 64n), RangeError);
  assertEquals(writer.length, 0, "what was refused left nothing behind");
  for (const [write, most] of cases) write(most);
  writer.u64((1n << 64n) - 1n);
  assertEquals(writer.done().toHex(), "ff".repeat(15));
});

Deno.test("Writer: a field too long for its length is refused", () => {
  const writer = new Writer();
  assertThrows(() => writer.prefixed(1, new Uint8Array(256)), RangeError);
  assertThrows(() => writer.prefixed(2, new Uint8Array(65_536)), RangeError);
  assertEquals(writer.length, 0);
  assertEquals(writer.prefixed(1, new Uint8Array(255)).length, 256);
});

Deno.test("Writer: done is a copy; writing goes on without touching it", () => {
  const writer = new Writer(8).u8(1);
  const first = writer.done();
  writer.u8(2);
  assertEquals(first.toHex(), "01");
  first[0] = 9;
  assertEquals(writer.done().toHex(), "0102");
});

Deno.test("Writer: Reader reads back what was written, in order and to the end", () => {
  const field = fc.oneof(
    fc.record({ kind: fc.constant("u8" as const), value: fc.nat(0xff) }),
    fc.record({ kind: fc.constant("u16" as const), value: fc.nat(0xffff) }),
    fc.record({
      kind: fc.constant("u32" as const),
      value: fc.integer({ min: 0, max: 0xffffffff }),
    }),
    fc.record({
      kind: fc.constant("u64" as const),
      value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    }),
    fc.record({
      kind: fc.constantFrom(1 as const, 2 as const, 4 as const),
      value: fc.uint8Array({ maxLength: 255 }),
    }),
  );
  fc.assert(fc.property(fc.nat(64), fc.array(field), (capacity, fields) => {
    const writer = new Writer(capacity);
    for (const { kind, value } of fields) {
      if (kind === "u64") writer.u64(value);
      else if (typeof kind === "number") writer.prefixed(kind, value);
      else writer[kind](value);
    }
    const reader = new Reader(writer.done());
    for (const { kind, value } of fields) {
      const read = typeof kind === "number"
        ? reader.prefixed(kind, 255)
        : reader[kind]();
      assertEquals(read, value);
    }
    reader.end();
  }));
});
