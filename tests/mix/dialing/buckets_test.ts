import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  BUCKET_LIMIT,
  bucketOf,
  collectTokens,
  encodeFilters,
  NOBODY,
  parseFilters,
} from "../../../lib/mix/dialing/buckets.ts";
import { TOKEN_LIMIT, TokenFilter } from "../../../lib/mix/dialing/filter.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  concat,
  MalformedError,
  randomBytes,
  u32,
} from "../../../lib/protocol/mod.ts";
import { fit, isPlausible } from "../statistics/chi_square.ts";
import { seeded } from "../statistics/seeded.ts";

const token = (fill: number): Bytes => new Uint8Array(32).fill(fill);

Deno.test("S3.8: a person's bucket is the first 48 bits of the certificate's id, modulo the buckets", () => {
  fc.assert(fc.property(
    fc.integer(),
    fc.integer({ min: 1, max: BUCKET_LIMIT }),
    (seed, buckets) => {
      const id = seeded(seed)(40).subarray(5, 37);
      const number = BigInt("0x" + id.slice(0, 6).toHex());
      assertEquals(bucketOf(id, buckets), Number(number % BigInt(buckets)));
    },
  ));
  assertEquals(bucketOf(token(0xff), BUCKET_LIMIT), BUCKET_LIMIT - 1);
  assertEquals(bucketOf(token(0xff), 1), 0);
});

Deno.test("S3.8: people are spread evenly over the buckets", () => {
  const random = seeded(11);
  const counts = Array<number>(48).fill(0);
  for (let i = 0; i < 20_000; i++) counts[bucketOf(random(32), 48)]!++;
  assert(isPlausible(fit(counts, counts.map(() => 20_000 / 48))));
});

Deno.test("S3.8: numbers of buckets that are none are refused", () => {
  for (const buckets of [0, -1, 1.5, NaN, BUCKET_LIMIT + 1]) {
    assertThrows(() => bucketOf(token(0), buckets), RangeError);
    assertThrows(() => collectTokens(new Uint8Array(0), buckets), RangeError);
    assertThrows(() => parseFilters(new Uint8Array(0), buckets), RangeError);
  }
});

Deno.test("S3.8: a token gets into its own bucket's filter, and into no other", () => {
  const payloads = concat(
    ...[[0, 1], [2, 2], [2, 3], [3, 4], [NOBODY, 5], [NOBODY - 1, 6]].flatMap(
      ([bucket, fill]) => [u32(bucket!), token(fill!)],
    ),
  );
  const filters = collectTokens(payloads, 3);
  const found = filters.map((filter) =>
    [1, 2, 3, 4, 5, 6].filter((fill) => filter.has(token(fill)))
  );
  assertEquals(found, [[1], [], [2, 3]]);
});

Deno.test("S3.8: after the round nothing is left of the tokens", () => {
  const payloads = randomBytes(36 * 10);
  for (let at = 0; at < payloads.length; at += 36) payloads.set(u32(0), at);
  const copy = payloads.slice();
  const [filter] = collectTokens(payloads, 1);
  assertEquals(payloads, new Uint8Array(36 * 10));
  for (let at = 0; at < copy.length; at += 36) {
    assert(filter!.has(copy.slice(at + 4, at + 36)));
  }
});

Deno.test("S3.8: batches that are none are refused, and empty ones give empty filters", () => {
  for (const length of [1, 35, 37, 71]) {
    assertThrows(() => collectTokens(new Uint8Array(length), 1), RangeError);
  }
  const empty = TokenFilter.build([]).encode();
  const filters = collectTokens(new Uint8Array(0), 4);
  assertEquals(filters.map((filter) => filter.encode()), [
    empty,
    empty,
    empty,
    empty,
  ]);
});

Deno.test("S3.8: one who floods a bucket costs the tokens behind the flood, and nothing else", () => {
  const payloads = randomBytes(36 * (TOKEN_LIMIT + 3));
  const put = (at: number, bucket: number, fill?: number) => {
    payloads.set(u32(bucket), at * 36);
    if (fill !== undefined) payloads.set(token(fill), at * 36 + 4);
  };
  for (let at = 0; at < TOKEN_LIMIT; at++) put(at, 1);
  put(TOKEN_LIMIT - 1, 1, 1);
  put(TOKEN_LIMIT, 1, 2);
  put(TOKEN_LIMIT + 1, 0, 3);
  put(TOKEN_LIMIT + 2, 1, 4);
  const [other, flooded] = collectTokens(payloads, 2);
  assert(other!.has(token(3)));
  assert(flooded!.has(token(1)));
  assert(!flooded!.has(token(2)) && !flooded!.has(token(4)));
  TokenFilter.parse(flooded!.encode());
});

Deno.test("S3.8: filters of all buckets come through as they are", () => {
  const random = seeded(21);
  for (const counts of [[0], [1, 0, 2], [200, 3]]) {
    const tokens = counts.map((count) =>
      Array.from({ length: count }, () => random(32))
    );
    const bytes = encodeFilters(tokens.map(TokenFilter.build));
    const filters = parseFilters(bytes, counts.length);
    assertEquals(encodeFilters(filters), bytes);
    filters.forEach((filter, bucket) => {
      tokens.forEach((those, i) => {
        for (const one of those) assertEquals(filter.has(one), i === bucket);
      });
    });
  }
});

Deno.test("S3.8: filters with a byte or a bucket too few or too many are refused", () => {
  const bytes = encodeFilters([
    TokenFilter.build([token(1)]),
    TokenFilter.build([]),
  ]);
  parseFilters(bytes, 2);
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => parseFilters(bytes.slice(0, length), 2), MalformedError);
  }
  for (const buckets of [1, 3, BUCKET_LIMIT]) {
    assertThrows(() => parseFilters(bytes, buckets), MalformedError);
  }
  for (const more of [[0], [0, 0, 0, 0]]) {
    const longer = concat(bytes, new Uint8Array(more));
    assertThrows(() => parseFilters(longer, 2), MalformedError);
  }
});

Deno.test("S3.8: a flipped bit is refused, or is another filter and nothing else", () => {
  const bytes = encodeFilters([
    TokenFilter.build([token(1)]),
    TokenFilter.build([]),
  ]);
  let refused = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    try {
      assertEquals(encodeFilters(parseFilters(flipped, 2)), flipped);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      refused++;
    }
  }
  // The bits of the two lengths.
  assertEquals(refused, 64);
});
