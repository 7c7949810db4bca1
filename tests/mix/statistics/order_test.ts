import { assert } from "@std/assert";
import { Permutation } from "../../../lib/mix/shuffle/permutation.ts";
import type { RandomSource } from "../../../lib/protocol/mod.ts";
import { concat, randomBelow, u32 } from "../../../lib/protocol/mod.ts";
import type { Fit } from "./chi_square.ts";
import { fit, isPlausible } from "./chi_square.ts";
import { seeded } from "./seeded.ts";

const ROUNDS = 500;

/** Tells for every place in the order in the place in the order out. */
type Shuffle = (length: number, random: RandomSource) => number[];

/** The one that the mixes use, looked at from outside: marked onions go in, and are looked for. */
function mixed(length: number, random: RandomSource): number[] {
  const onions = concat(...Array.from({ length }, (_, i) => u32(i)));
  const out = new DataView(
    Permutation.random(length, random).apply(onions, 4).buffer,
  );
  const places: number[] = [];
  for (let i = 0; i < length; i++) places[out.getUint32(4 * i)] = i;
  return places;
}

function identity(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Fisher and Yates's shuffle with one mistake: each element is swapped with any. */
function swappedWithAny(length: number, random: RandomSource): number[] {
  const places = identity(length);
  for (let i = 0; i < length; i++) swap(places, i, randomBelow(length, random));
  return places;
}

/** Another mistake, off by one: no element ever stays where it is (Sattolo). */
function neverStaying(length: number, random: RandomSource): number[] {
  const places = identity(length);
  for (let left = length - 1; left > 0; left--) {
    swap(places, left, randomBelow(left, random));
  }
  return places;
}

/** Everyone gets to every place equally often, but neighbours stay neighbours. */
function rotated(length: number, random: RandomSource): number[] {
  const by = randomBelow(length, random);
  return identity(length).map((place) => (place + by) % length);
}

function swap(places: number[], a: number, b: number): void {
  [places[a], places[b]] = [places[b]!, places[a]!];
}

/**
 * Whether the place out depends on the place in: in how many of 500 rounds something got from each block of
 * places to each block. The counts of one round are not independent, since each place is taken once. The
 * covariance matrix of the table is R s² / (n - 1) times the product of two projections of rank B - 1 (n elements,
 * B blocks of s), so the sum of squares divided by that is chi-square with (B - 1)² degrees of freedom.
 */
function placesFit(shuffle: Shuffle, length: number, blocks: number): Fit {
  const random = seeded(2026);
  const size = length / blocks;
  const table = new Float64Array(blocks * blocks);
  for (let round = 0; round < ROUNDS; round++) {
    shuffle(length, random).forEach((out, place) => {
      table[Math.floor(place / size) * blocks + Math.floor(out / size)]!++;
    });
  }
  const expected = ROUNDS * size * size / length;
  const squares = table.reduce((sum, n) => sum + (n - expected) ** 2, 0);
  return {
    statistic: squares * (length - 1) / (ROUNDS * size * size),
    degrees: (blocks - 1) ** 2,
  };
}

/** Whether where one went tells where its neighbour went: one sample a round, of the way between the two. */
function neighboursFit(shuffle: Shuffle, length: number): Fit {
  const random = seeded(2027);
  const gaps = Array<number>(length - 1).fill(0);
  for (let round = 0; round < ROUNDS; round++) {
    const places = shuffle(length, random);
    gaps[(places[1]! - places[0]! + length) % length - 1]!++;
  }
  return fit(gaps, gaps.map(() => ROUNDS / (length - 1)));
}

Deno.test("S3.6: over 500 rounds the order out is independent of the order in", () => {
  for (const [length, blocks] of [[20, 20], [100, 10], [1_000, 10]]) {
    const found = placesFit(mixed, length!, blocks!);
    assert(isPlausible(found), `${length} elements: ${found.statistic}`);
    // Nor is it too good to be true: as far below as chance goes (the same lemma).
    assert(found.statistic > found.degrees - 2 * Math.sqrt(found.degrees * 21));
  }
  for (const length of [21, 101]) {
    const found = neighboursFit(mixed, length);
    assert(isPlausible(found), `${length} elements: ${found.statistic}`);
  }
});

Deno.test("S3.6: the test of independence finds orders that are not", () => {
  const found = Object.entries({
    "as they came": [
      placesFit(identity, 20, 20),
      placesFit(identity, 200, 10),
    ],
    "swapped with any": [placesFit(swappedWithAny, 200, 10)],
    "never staying": [placesFit(neverStaying, 20, 20)],
    "rotated": [neighboursFit(rotated, 101)],
  });
  for (const [name, fits] of found) {
    for (const one of fits) assert(!isPlausible(one), `${name} is not found`);
  }
});
