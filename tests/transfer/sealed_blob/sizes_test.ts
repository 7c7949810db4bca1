import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MalformedError } from "../../../lib/protocol/mod.ts";
import {
  CHUNK_BYTES,
  CHUNK_LIMIT,
  HEADER_BYTES,
  plaintextLength,
  SEALED_CHUNK_BYTES,
  sealedLength,
} from "../../../lib/transfer/sealed_blob/sizes.ts";

// Plaintext and sealed length in bytes, counted by hand.
const LENGTHS: readonly (readonly [number, number])[] = [
  [0, 16],
  [1, 17],
  [16_383, 16_399],
  [16_384, 16_416],
  [16_385, 16_417],
  [32_767, 32_799],
  [32_768, 32_816],
  [262_143, 262_399],
  [262_144, 262_416],
  [2 ** 32, 4_299_161_616],
  [2 ** 52 - 1, 4_507_997_673_881_599],
];

for (const [plain, sealed] of LENGTHS) {
  Deno.test(`sealed blob: ${plain} bytes are sealed in ${sealed}`, () => {
    assertEquals(sealedLength(plain), sealed);
    assertEquals(plaintextLength(sealed), plain);
  });
}

Deno.test("sealed blob: the sizes are those of the specification", () => {
  assertEquals(
    [HEADER_BYTES, CHUNK_BYTES, SEALED_CHUNK_BYTES, CHUNK_LIMIT],
    [56, 16_384, 16_400, 274_877_906_944],
  );
});

const NO_PLAINTEXTS = [-1, 0.5, NaN, Infinity, 2 ** 52, 2 ** 53];
for (const length of NO_PLAINTEXTS) {
  Deno.test(`sealed blob: ${length} bytes cannot be sealed`, () => {
    assertThrows(() => sealedLength(length), RangeError);
  });
}

const NO_BLOBS = [
  -1,
  0,
  1,
  15,
  16.5,
  NaN,
  Infinity,
  16_400,
  16_401,
  16_415,
  32_800,
  32_815,
  4_507_997_673_881_600,
  4_507_997_673_881_616,
  2 ** 53,
];
for (const length of NO_BLOBS) {
  Deno.test(`sealed blob: ${length} bytes are no sealed chunks`, () => {
    assertThrows(() => plaintextLength(length), MalformedError);
  });
}

Deno.test("sealed blob: every sealed length is that of one plaintext, or refused", () => {
  const anywhere = fc.integer({ min: 0, max: 2 ** 52 - 1 });
  const nearEdge = fc.tuple(
    fc.integer({ min: 0, max: 2 ** 30 }),
    fc.integer({ min: -20, max: 20 }),
  ).map(([chunks, by]) => Math.max(0, chunks * CHUNK_BYTES + by));
  fc.assert(fc.property(fc.oneof(anywhere, nearEdge), (length) => {
    assertEquals(plaintextLength(sealedLength(length)), length);
    let found: number;
    try {
      found = plaintextLength(length);
    } catch (error) {
      assertEquals((error as Error).name, "MalformedError");
      return;
    }
    assertEquals(sealedLength(found), length);
  }));
});
