import { assertEquals, assertRejects } from "@std/assert";
import { Turns } from "../../../lib/lab/crowd/turns.ts";

Deno.test("turns: no more are under way than may be, and they go in order, whatever fails", async () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  let underWay = 0;
  let most = 0;
  const all = Array.from({ length: 20 }, (_, i) =>
    turns.take(async () => {
      begun.push(i);
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay--;
      if (i % 3 === 0) throw new Error("broken");
      return i;
    }));
  const results = await Promise.allSettled(all);
  assertEquals(begun, Array.from({ length: 20 }, (_, i) => i));
  assertEquals(most, 2);
  results.forEach(({ status }, i) => {
    assertEquals(status, i % 3 === 0 ? "rejected" : "fulfilled");
  });
  await assertRejects(() => turns.take(() => Promise.reject(new Error("x"))));
  assertEquals(await turns.take(() => Promise.resolve(7)), 7);
});
