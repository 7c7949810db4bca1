import { assertEquals, assertRejects } from "@std/assert";
import { Turns } from "../../../lib/mailbox/client/turns.ts";
import { pause } from "../raw_mailbox.ts";

Deno.test("work of one name is done one after the other, that of others at the same time", async () => {
  const turns = new Turns();
  const told: string[] = [];
  const work = (name: string, what: string, ms: number) =>
    turns.take(name, async () => {
      told.push(`${what} begins`);
      await pause(ms);
      told.push(`${what} ends`);
      return what;
    });
  const all = Promise.all([
    work("a", "a1", 20),
    work("a", "a2", 0),
    work("b", "b1", 5),
  ]);
  await turns.settled();
  assertEquals(await all, ["a1", "a2", "b1"]);
  assertEquals(told, [
    "a1 begins",
    "b1 begins",
    "b1 ends",
    "a1 ends",
    "a2 begins",
    "a2 ends",
  ]);
});

Deno.test("work that fails fails alone", async () => {
  const turns = new Turns();
  const failing = turns.take("a", () => Promise.reject(new RangeError("no")));
  const next = turns.take("a", () => Promise.resolve("done"));
  await assertRejects(() => failing, RangeError);
  assertEquals(await next, "done");
  await turns.settled();
});
