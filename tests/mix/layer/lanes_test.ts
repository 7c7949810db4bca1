import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { Lanes } from "../../../lib/mix/layer/lanes.ts";

/** Lets everything go on that can. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
}

Deno.test("every piece is done once and begun in order, some at a time, whenever it comes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(150), { minLength: 1, maxLength: 6 }),
      async (steps) => {
        const begun: number[] = [];
        const ends: (() => void)[] = [];
        const lanes = new Lanes((piece) => {
          begun.push(piece);
          return new Promise<void>((resolve) => ends.push(resolve));
        });
        let count = 0;
        let most = 0;
        for (const step of steps) {
          count += step;
          lanes.extend(count);
          // The last one that was begun ends first.
          for (let i = 0; i < step / 2; i++) ends.pop()?.();
          await settle();
          most = Math.max(most, ends.length);
        }
        let isIdle = false;
        const idle = lanes.idle().then(() => isIdle = true);
        while (ends.length > 0) {
          await settle();
          assert(!isIdle);
          most = Math.max(most, ends.length);
          for (const end of ends.splice(0)) end();
          await settle();
        }
        await idle;
        assertEquals(begun, Array.from({ length: count }, (_, i) => i));
        assert(most <= 64);
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("when they are stopped, nothing more is begun, and what is under way is waited for", async () => {
  const ends: (() => void)[] = [];
  let begun = 0;
  const lanes = new Lanes(() => {
    begun++;
    return new Promise<void>((resolve) => ends.push(resolve));
  });
  lanes.extend(1_000);
  const together = begun;
  assert(together > 1 && together < 1_000);
  lanes.stop();
  lanes.extend(2_000);
  let isIdle = false;
  const idle = lanes.idle().then(() => isIdle = true);
  for (const end of ends.splice(1)) end();
  await settle();
  assert(!isIdle);
  ends[0]!();
  await idle;
  assertEquals(begun, together);
});

Deno.test("a failure is told to whoever waits, and nothing more is begun", async () => {
  let begun = 0;
  const lanes = new Lanes(async (piece) => {
    begun++;
    await Promise.resolve();
    if (piece === 3) throw new RangeError("piece 3");
  });
  lanes.extend(1_000);
  await assertRejects(() => lanes.idle(), RangeError, "piece 3");
  assert(begun < 200);
  await assertRejects(() => lanes.idle(), RangeError, "piece 3");
});

Deno.test("lanes without work are idle", async () => {
  const lanes = new Lanes(() => Promise.reject(new Error("no work")));
  await lanes.idle();
  lanes.extend(0);
  await lanes.idle();
});
