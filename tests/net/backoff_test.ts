import { assert, assertEquals } from "@std/assert";
import { Backoff } from "../../lib/net/mod.ts";

const RANGE = { first: 100, longest: 1_000 };

Deno.test("Backoff: waits double up to the longest and are shortened by at most half", () => {
  const longest = new Backoff(RANGE, () => 1);
  const shortest = new Backoff(RANGE, () => 0);
  const waits = [100, 200, 400, 800, 1_000, 1_000, 1_000];
  assertEquals(waits.map(() => longest.next()), waits);
  assertEquals(waits.map(() => shortest.next()), waits.map((each) => each / 2));
});

Deno.test("Backoff: after a success it starts from the first wait", () => {
  const backoff = new Backoff(RANGE, () => 1);
  backoff.next();
  backoff.next();
  backoff.reset();
  assertEquals(backoff.next(), 100);
  assertEquals(backoff.next(), 200);
});

Deno.test("Backoff: a thousand failures in a row still give a wait within the range", () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 1_000 }, () => backoff.next());
  for (const wait of waits) {
    assert(Number.isInteger(wait) && wait >= 125 && wait <= 30_000, `${wait}`);
  }
  const late = waits.slice(100);
  assert(new Set(late).size > 500, "clients come back at different moments");
});
