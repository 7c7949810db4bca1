import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MalformedError } from "../../../lib/protocol/mod.ts";
import { Layout, paddedLength } from "../../../lib/transfer/tree/layout.ts";
import type { TreeEntry } from "../../../lib/transfer/tree/tree_entry.ts";
import { manifests } from "./arbitrary_tree.ts";

/** Algorithm 1 of the paper, in whole numbers of any size. */
function padme(length: bigint): bigint {
  const exponent = BigInt(length.toString(2).length - 1);
  const kept = BigInt(exponent.toString(2).length);
  const mask = (1n << (exponent - kept)) - 1n;
  return (length + mask) & ~mask;
}

const LENGTHS: readonly (readonly [number, number])[] = [
  [0, 16_384],
  [1, 16_384],
  [16_383, 16_384],
  [16_384, 16_384],
  [16_385, 17_408],
  [17_408, 17_408],
  [17_409, 18_432],
  [2 ** 20, 2 ** 20],
  [2 ** 20 + 1, 2 ** 20 + 2 ** 15],
  [2 ** 32 - 1, 2 ** 32],
  [2 ** 32, 2 ** 32],
  [2 ** 32 + 1, 2 ** 32 + 2 ** 26],
  [2 ** 53 - 2 ** 46, 2 ** 53 - 2 ** 46],
];

for (const [length, padded] of LENGTHS) {
  Deno.test(`layout S0.9: ${length} bytes are padded to ${padded}`, () => {
    assertEquals(paddedLength(length), padded);
  });
}

Deno.test("layout S0.9: padded as the paper says, by at most 12 %", () => {
  const length = fc.oneof(
    fc.integer({ min: 16_385, max: 2 ** 53 - 2 ** 48 }),
    fc.tuple(fc.integer({ min: 15, max: 52 }), fc.integer({ min: -3, max: 3 }))
      .map(([power, off]) => 2 ** power + off),
  );
  fc.assert(fc.property(length, (each) => {
    const padded = paddedLength(each);
    assertEquals(BigInt(padded), padme(BigInt(each)));
    assert(padded >= each && padded <= each * 1.12);
    assertEquals(paddedLength(padded), padded);
  }));
});

Deno.test("layout S0.9: what would be padded to 2^53 is refused", () => {
  assertThrows(() => paddedLength(2 ** 53 - 1), MalformedError);
  assertThrows(() => paddedLength(2 ** 53 - 2 ** 46 + 1), MalformedError);
});

Deno.test("layout: offsets as a naive walk finds them", () => {
  fc.assert(fc.property(manifests(), fc.nat(1000), (manifest, length) => {
    const layout = new Layout(length, manifest);
    assertEquals(layout.contentStart, 4 + length);
    let at = 4 + length;
    const { entries } = manifest;
    for (const [i, entry] of entries.entries()) {
      const size = entry.kind === "file" ? entry.size : 0;
      assertEquals(layout.start(i), at);
      for (const offset of size > 0 ? [at, at + size - 1] : []) {
        assertEquals(layout.entryAt(offset), i);
      }
      const first = entries.findIndex((_, j) => layout.start(j) >= at);
      assertEquals(layout.firstFrom(at), first);
      at += size;
    }
    assertEquals(layout.total, at);
    assertEquals(layout.firstFrom(at + 1), entries.length);
    for (const offset of [0, 3 + length, at, at + 1]) {
      assertEquals(layout.entryAt(offset), -1);
    }
  }));
});

Deno.test("layout S0.9: files of 20 GiB and of more than 2^32 bytes in all", () => {
  const file = (path: string, size: number): TreeEntry => ({
    ...{ kind: "file", path, mode: 0o644, modified: 0, size },
  });
  const big = 20 * 2 ** 30;
  const entries = [file("a", big), file("b", 0), file("c", 1)];
  const layout = new Layout(100, { name: "n", entries });
  assertEquals(layout.entryAt(104 + big - 1), 0);
  assertEquals(layout.entryAt(104 + big), 2);
  assertEquals(layout.total, 104 + big + 1);
  assertEquals(BigInt(layout.padded), padme(BigInt(layout.total)));
});
