import { assertEquals, assertThrows } from "@std/assert";
import {
  bytes,
  integer,
  long,
  shapeOf,
  verb,
} from "../../../lib/protocol/risp/command.ts";

// DESIGN's table, range by range: first id, last id, integer bytes, counted, fixed bytes.
const RANGES:
  readonly (readonly [number, number, string, number, boolean, number])[] = [
    [0x0000, 0x0fff, "u8", 1, false, 0],
    [0x1000, 0x1fff, "u16", 2, false, 0],
    [0x2000, 0x2fff, "u32", 4, false, 0],
    [0x3000, 0x3fff, "u64", 8, false, 0],
    [0x4000, 0x4fff, "16 bytes", 0, false, 16],
    [0x5000, 0x5fff, "32 bytes", 0, false, 32],
    [0x6000, 0x6fff, "64 bytes", 0, false, 64],
    [0x7000, 0x7fff, "verb", 0, false, 0],
    [0x8000, 0x8fff, "bytes, 1-byte length", 1, true, 0],
    [0x9000, 0x9fff, "bytes, 2-byte length", 2, true, 0],
    [0xa000, 0xafff, "bytes, 4-byte length", 4, true, 0],
    [0xb000, 0xbfff, "bytes, 8-byte length", 8, true, 0],
    [0xc000, 0xffff, "verb", 0, false, 0],
  ];

Deno.test("RISP: every one of the 65,536 ids has the shape of its range", () => {
  let seen = 0;
  for (const [first, last, kind, prefix, counted, fixed] of RANGES) {
    for (let id = first; id <= last; id++, seen++) {
      const shape = shapeOf(id);
      if (shape.kind !== kind) assertEquals(shape.kind, kind, id.toString(16));
      assertEquals(
        [shape.prefix, shape.counted, shape.fixed],
        [prefix, counted, fixed],
      );
    }
  }
  assertEquals(seen, 65_536);
});

for (const [first, last, kind] of RANGES) {
  Deno.test(`RISP: 0x${first.toString(16)}..0x${last.toString(16)} can be named for what it is only`, () => {
    const makers = {
      integer: (id: number) => integer(id, "X", "x"),
      long: (id: number) => long(id, "X", "x"),
      bytes: (id: number) => bytes(id, "X", "x"),
      verb: (id: number) => verb(id, "X", "x"),
    };
    const fits = kind === "verb"
      ? "verb"
      : kind === "u64"
      ? "long"
      : kind.startsWith("u")
      ? "integer"
      : "bytes";
    for (const [name, make] of Object.entries(makers)) {
      for (const id of [first, last]) {
        if (name === fits) assertEquals(make(id).id, id);
        else assertThrows(() => make(id), RangeError, "Cannot name X");
      }
    }
  });
}
