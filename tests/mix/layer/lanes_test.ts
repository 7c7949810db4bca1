import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Lanes } from "../../../lib/mix/layer/lanes.ts";

/** Lets everything go on that can. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
}

Deno.test("every piece of every job is done once and begun in order, no more at a time than may be", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.nat(30), { minLength: 1, maxLength: 6 }),
      async (width, counts) => {
        const begun: string[] = [];
        const ends: (() => void)[] = [];
        const over: number[] = [];
        const lanes = new Lanes(width);
        const jobs = counts.map(async (count, job) => {
          await lanes.each(count, (piece) => {
            begun.push(`${job}/${piece}`);
            return new Promise<void>((resolve) => ends.push(resolve));
          });
          const of = begun.filter((name) => name.startsWith(`${job}/`));
          assertEquals(of.length, count);
          over.push(job);
        });
        await settle();
        while (ends.length > 0) {
          assert(ends.length <= width);
          // The last one that was begun ends first.
          ends.pop()!();
          await settle();
        }
        await Promise.all(jobs);
        assertEquals(over.length, counts.length);
        assertEquals(
          begun,
          counts.flatMap((count, job) =>
            Array.from({ length: count }, (_, piece) => `${job}/${piece}`)
          ),
        );
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("a failure is told when nothing of its job is under way, begins nothing more of it, and harms no other", async () => {
  const lanes = new Lanes(4);
  const ends: (() => void)[] = [];
  let begun = 0;
  const failing = lanes.each(1_000, (piece) => {
    begun++;
    if (piece === 2) return Promise.reject(new RangeError("piece 2"));
    return new Promise<void>((resolve) => ends.push(resolve));
  });
  let done = 0;
  const other = lanes.each(100, () => {
    done++;
    return Promise.resolve();
  });
  let isTold = false;
  const told = assertRejects(() => failing, RangeError, "piece 2")
    .then(() => isTold = true);
  await settle();
  assertEquals([isTold, begun, done], [false, 4, 100]);
  await other;
  for (const end of ends.splice(1)) end();
  await settle();
  assert(!isTold);
  ends[0]!();
  await told;
  assertEquals(begun, 4);
});

Deno.test("a job without pieces is done", async () => {
  await new Lanes(1).each(0, () => Promise.reject(new Error("no piece")));
});
