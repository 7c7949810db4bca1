import { assertEquals } from "@std/assert";
import { exchangeAtDrops } from "../../../lib/mix/drop/dead_drops.ts";
import { exchangeNoise } from "../../../lib/mix/noise/noise_payloads.ts";
import { Permutation } from "../../../lib/mix/shuffle/permutation.ts";
import { EXCHANGE_BYTES, SEALED_BYTES } from "../../../lib/mix/sizes.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { concat, randomBelow } from "../../../lib/protocol/mod.ts";
import { seeded } from "./seeded.ts";

const ROUNDS = 500;
const PEOPLE = 40;

function replyAt(replies: Bytes, i: number): Bytes {
  return replies.subarray(i * SEALED_BYTES, (i + 1) * SEALED_BYTES);
}

Deno.test("S3.6, S3.7: over 500 rounds, through noise and two shuffles, every reply comes back to its place", () => {
  const random = seeded(3);
  for (let round = 0; round < ROUNDS; round++) {
    const payloads = random(PEOPLE * EXCHANGE_BYTES);
    const at = (i: number) =>
      payloads.subarray(i * EXCHANGE_BYTES, (i + 1) * EXCHANGE_BYTES);
    // Two people talk, anywhere among the others, who are alone at their drops.
    const one = randomBelow(PEOPLE, random);
    const other = (one + 1 + randomBelow(PEOPLE - 1, random)) % PEOPLE;
    at(other).set(at(one).subarray(0, 16));

    const noise = exchangeNoise({ mean: 6, scale: 2 }, random);
    const first = Permutation.random(PEOPLE + noise.length, random);
    const more = exchangeNoise({ mean: 6, scale: 2 }, random);
    const second = Permutation.random(
      first.length + more.length,
      random,
    );
    const forward = second.apply(
      concat(first.apply(concat(payloads, ...noise), EXCHANGE_BYTES), ...more),
      EXCHANGE_BYTES,
    );
    const back = exchangeAtDrops(forward, random);
    const replies = first.undo(
      second.undo(back.replies, SEALED_BYTES)
        .slice(0, first.length * SEALED_BYTES),
      SEALED_BYTES,
    );
    for (let i = 0; i < PEOPLE; i++) {
      const from = i === one ? other : i === other ? one : i;
      assertEquals(replyAt(replies, i), at(from).subarray(16));
    }
    const noiseAtDrops = noise.length + more.length;
    assertEquals(back.crowds, 0);
    assertEquals(back.singles + 2 * back.pairs, PEOPLE + noiseAtDrops);
  }
});
