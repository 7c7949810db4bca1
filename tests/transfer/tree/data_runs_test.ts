import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { dataRuns, isZero } from "../../../lib/transfer/tree/data_runs.ts";

Deno.test("data runs: zero or not, at every alignment and length", () => {
  for (let offset = 0; offset < 8; offset++) {
    for (let length = 0; length < 20; length++) {
      const bytes = new Uint8Array(32).fill(7).subarray(
        offset,
        offset + length,
      );
      bytes.fill(0);
      assert(isZero(bytes));
      for (let i = 0; i < length; i++) {
        bytes[i] = 0x80;
        assert(!isZero(bytes), `${offset} ${length} ${i}`);
        bytes[i] = 0;
      }
    }
  }
});

const BYTES = fc.array(
  fc.tuple(fc.boolean(), fc.oneof(fc.nat(9000), fc.constant(4096))),
  { maxLength: 8 },
).map((pieces) => {
  const length = pieces.reduce((sum, [, each]) => sum + each, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const [full, each] of pieces) {
    if (full) bytes.fill(1, at, at + each);
    at += each;
  }
  return bytes;
});

Deno.test("data runs S0.9: written over zeros, they give the bytes again", () => {
  fc.assert(fc.property(BYTES, fc.nat(10_000), (bytes, at) => {
    const written = new Uint8Array(bytes.length);
    let before = -1;
    for (const [from, to] of dataRuns(bytes, at)) {
      assert(from > before && to > from && to <= bytes.length);
      written.set(bytes.subarray(from, to), from);
      before = to;
    }
    assert(written.every((each, i) => each === bytes[i]));
  }));
});

Deno.test("data runs S0.9: whole blocks of zeros are left out, others joined", () => {
  const bytes = new Uint8Array(5 * 4096);
  bytes[0] = 1;
  bytes[4096 + 17] = 1;
  bytes[4 * 4096] = 1;
  assertEquals(dataRuns(bytes, 0), [[0, 8192], [16_384, 20_480]]);
  assertEquals(dataRuns(bytes, 4096), [[0, 8192], [16_384, 20_480]]);
  assertEquals(dataRuns(new Uint8Array(100_000), 123), []);
  assertEquals(dataRuns(new Uint8Array(0), 0), []);
  assertEquals(dataRuns(new Uint8Array(10_000).fill(1), 1), [[0, 10_000]]);
});
