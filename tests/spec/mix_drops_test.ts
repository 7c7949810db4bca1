import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  bucketOf,
  collectTokens,
  encodeFilters,
  NOBODY,
  parseFilters,
} from "../../lib/mix/dialing/buckets.ts";
import { TokenFilter } from "../../lib/mix/dialing/filter.ts";
import { exchangeAtDrops } from "../../lib/mix/drop/dead_drops.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import {
  bucket,
  exchange,
  filterHas,
  filterOf,
  readFilters,
} from "./naive_mix.ts";
import { join, random, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

Deno.test("SPEC.md §13.7: whatever lies at the drops, everybody gets what the text says", () => {
  for (let round = 0; round < 50; round++) {
    const drops = Array.from({ length: 1 + round % 7 }, () => random(16));
    const payloads = Array.from(
      { length: round },
      () => join(drops[random(1)[0]! % drops.length]!, random(496)),
    );
    const expected = exchange(payloads);
    const { replies } = exchangeAtDrops(join(...payloads), randomBytes);
    assertEquals(replies.length, 496 * payloads.length);
    const said = new Set(payloads.map((each) => each.slice(16).toHex()));
    for (const [i, reply] of expected.entries()) {
      const given = replies.slice(496 * i, 496 * (i + 1));
      if (reply !== undefined) assertEquals(given, reply);
      else assert(!said.has(given.toHex()), "the third gets something");
    }
  }
});

Deno.test("SPEC.md §13.8: a person has one bucket", () => {
  for (const buckets of [1, 2, 3, 77, 1_000, 65_536]) {
    for (let i = 0; i < 20; i++) {
      const id = random(32);
      assertEquals(bucketOf(id, buckets), bucket(id, buckets));
    }
  }
});

Deno.test("SPEC.md §13.8: filters written from the text are ours, bit by bit, and find what is in them", () => {
  for (const count of [0, 1, 2, 93, 94, 95, 500]) {
    const tokens = Array.from({ length: count }, () => random(32));
    const filter = filterOf(tokens);
    assertEquals(filter, TokenFilter.build(tokens).encode());
    const ours = TokenFilter.parse(filter);
    for (const token of tokens) {
      assert(ours.has(token) && filterHas(filter, token));
    }
    for (let i = 0; i < 200; i++) {
      const token = random(32);
      assertEquals([ours.has(token), filterHas(filter, token)], [false, false]);
    }
  }
});

Deno.test("SPEC.md §13.8: the last mix makes a filter of every bucket, and none of what is for nobody", () => {
  const buckets = 5;
  const tokens: Octets[][] = Array.from({ length: buckets }, () => []);
  const payloads = Array.from({ length: 60 }, (_, i) => {
    const token = random(32);
    // One in ten goes where there is no bucket.
    const to = i % 10 === 9 ? buckets : i % 3 === 0 ? NOBODY : i % buckets;
    tokens[to]?.push(token);
    return join(unsigned(4, to), token);
  });
  assertEquals(NOBODY, 0xffff_ffff);
  const encoded = encodeFilters(collectTokens(join(...payloads), buckets));
  assertEquals(readFilters(encoded, buckets), tokens.map(filterOf));
  const again = parseFilters(encoded, buckets).map((each) => each.encode());
  assertEquals(again, tokens.map(filterOf));
  const bad = [
    encoded.slice(0, -1),
    join(encoded, new Uint8Array(1)),
    join(unsigned(4, 511), new Uint8Array(511), encoded.slice(516)),
    // Over-full: 60 % of the bits and one more.
    join(unsigned(4, 512), full(2_458), encoded.slice(516)),
  ];
  for (const bytes of bad) {
    assertThrows(() => readFilters(bytes, buckets));
    assertThrows(() => parseFilters(bytes, buckets));
  }
  const justFits = join(unsigned(4, 512), full(2_457), encoded.slice(516));
  assertEquals(readFilters(justFits, buckets)[0], full(2_457));
  assertEquals(parseFilters(justFits, buckets)[0]!.encode(), full(2_457));
});

/** A filter of 512 bytes with so many ones. */
function full(ones: number): Octets {
  return Uint8Array.from(
    { length: 512 },
    (_, byte) => 2 ** Math.max(0, Math.min(8, ones - 8 * byte)) - 1,
  );
}
