import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  FILTER_LIMIT,
  FILTER_MINIMUM,
  TOKEN_LIMIT,
  TokenFilter,
} from "../../../lib/mix/dialing/filter.ts";
import { positionsOf } from "../../../lib/mix/dialing/filter_positions.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { MalformedError, randomBytes } from "../../../lib/protocol/mod.ts";
import { fit, isPlausible } from "../statistics/chi_square.ts";
import { seeded } from "../statistics/seeded.ts";

function tokensOf(seed: number, count: number): Bytes[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => random(32));
}

function isOne(bits: Bytes, at: number): boolean {
  return (bits[at >> 3]! >> (at & 7) & 1) === 1;
}

function ones(bits: Bytes): number {
  let count = 0;
  for (let at = 0; at < bits.length * 8; at++) count += Number(isOne(bits, at));
  return count;
}

Deno.test("S3.8: whoever was called finds the token, in filters of every size", () => {
  for (
    const [count, length] of [
      [0, 512],
      [1, 512],
      [93, 512],
      [94, 517],
      [1_000, 5_500],
      [20_000, 110_000],
    ] as const
  ) {
    const tokens = tokensOf(count, count);
    const built = TokenFilter.build(tokens);
    const bytes = built.encode();
    assertEquals(bytes.length, length);
    const parsed = TokenFilter.parse(bytes);
    assertEquals(parsed.encode(), bytes);
    for (const token of tokens) {
      assert(built.has(token));
      assert(parsed.has(token));
    }
    for (const stranger of tokensOf(count + 1, 2_000)) {
      assert(!parsed.has(stranger));
    }
  }
});

Deno.test("S3.8: 49.4 % of the bits are ones, so a stranger is taken for a token less than once in 10^9", () => {
  for (const count of [94, 1_000, 10_000]) {
    const bits = TokenFilter.build(tokensOf(count, count)).encode();
    const share = ones(bits) / (bits.length * 8);
    // Eight standard deviations of so many bits, each of at most 1/2.
    assert(
      Math.abs(share - (1 - Math.exp(-30 / 44))) <
        8 * 0.5 / Math.sqrt(bits.length * 8),
    );
  }
});

Deno.test("S3.8: the bits of strangers are ones as independently as coins fall", () => {
  const strangers = 50_000;
  const bits = TokenFilter.build(tokensOf(5, 1_000)).encode();
  const size = bits.length * 8;
  const share = ones(bits) / size;
  // How many of 30 are ones, for 30 bits of which each is one with that probability.
  const binomial = [(1 - share) ** 30];
  for (let n = 1; n <= 30; n++) {
    binomial[n] = binomial[n - 1]! * (31 - n) / n * share / (1 - share);
  }
  const expected = binomial.map((p) => p * strangers);
  const hits = (positions: (token: Bytes) => number[]) => {
    const counts = Array<number>(31).fill(0);
    for (const token of tokensOf(6, strangers)) {
      counts[positions(token).filter((at) => isOne(bits, at)).length]!++;
    }
    return fit(counts, expected);
  };
  assert(isPlausible(hits((token) => [...positionsOf(token, size)])));
  // The test finds bits that depend on each other: here 15, each looked at twice.
  assert(
    !isPlausible(hits((token) => {
      const half = [...positionsOf(token, size)].slice(15);
      return [...half, ...half];
    })),
  );
});

Deno.test("S3.8: a token of another length is in no filter", () => {
  const filter = TokenFilter.build([new Uint8Array(32)]);
  assert(filter.has(new Uint8Array(32)));
  for (const length of [0, 31, 33]) {
    assert(!filter.has(new Uint8Array(length)));
  }
});

Deno.test("S3.8: the largest filter takes its tokens, and no more", () => {
  const tokens = tokensOf(7, TOKEN_LIMIT);
  const bytes = TokenFilter.build(tokens).encode();
  assert(bytes.length <= FILTER_LIMIT && bytes.length > FILTER_LIMIT - 6);
  assert(TokenFilter.parse(bytes).has(tokens.at(-1)!));
  tokens.push(new Uint8Array(32));
  assertThrows(() => TokenFilter.build(tokens), RangeError);
});

Deno.test("S3.8: filters of another length are refused", () => {
  for (
    const [length, isRead] of [
      [0, false],
      [1, false],
      [FILTER_MINIMUM - 1, false],
      [FILTER_MINIMUM, true],
      [FILTER_MINIMUM + 1, true],
      [FILTER_LIMIT, true],
      [FILTER_LIMIT + 1, false],
    ] as const
  ) {
    const bytes = new Uint8Array(length);
    if (isRead) assertEquals(TokenFilter.parse(bytes).encode(), bytes);
    else assertThrows(() => TokenFilter.parse(bytes), MalformedError);
  }
});

Deno.test("S3.8: a filter that would make everybody believe to be called is refused", () => {
  const full = (count: number) => {
    const bits = new Uint8Array(512);
    for (let at = 0; at < count; at++) bits[at >> 3]! |= 1 << (at & 7);
    return bits;
  };
  // 60 % of 4,096 are 2,457.6.
  for (const count of [0, 2_048, 2_457]) TokenFilter.parse(full(count));
  for (const count of [2_458, 4_095, 4_096]) {
    assertThrows(() => TokenFilter.parse(full(count)), MalformedError);
  }
});

Deno.test("S3.8: any bytes are a filter that says the same when encoded again, or are refused", () => {
  fc.assert(fc.property(
    fc.integer({ min: 500, max: 530 }),
    fc.integer(),
    fc.constantFrom(0xff, 0x7f, 0x11),
    (length, seed, mask) => {
      const bytes = seeded(seed)(length).map((byte) => byte & mask);
      if (length < 512) {
        assertThrows(() => TokenFilter.parse(bytes), MalformedError);
      } else assertEquals(TokenFilter.parse(bytes).encode(), bytes);
    },
  ));
});

Deno.test("S3.8: who keeps the bytes of a filter cannot change it", () => {
  const [token] = tokensOf(9, 1);
  const bytes = TokenFilter.build([token!]).encode();
  const filter = TokenFilter.parse(bytes);
  bytes.fill(0);
  filter.encode().fill(0);
  assert(filter.has(token!));
  assert(!filter.has(randomBytes(32)));
});
