import { assertEquals, assertRejects } from "@std/assert";
import { NameCache } from "../../../lib/onion/exit/name_cache.ts";
import { FakeResolver } from "./fakes.ts";

const LIMITS = { entries: 3, keep: 100, timeout: 1_000 };

Deno.test("name cache: one question for all who ask at once, and for a while after the answer", async () => {
  let now = 0;
  const resolver = new FakeResolver({ a: [["1.1.1.1"], ["2.2.2.2"]] });
  const cache = new NameCache(resolver, LIMITS, () => now);
  const both = [cache.addresses("a"), cache.addresses("a")];
  assertEquals(await Promise.all(both), [["1.1.1.1"], ["1.1.1.1"]]);
  now = 99;
  assertEquals(await cache.addresses("a"), ["1.1.1.1"]);
  now = 100;
  assertEquals(await cache.addresses("a"), ["2.2.2.2"]);
  assertEquals(resolver.asked, ["a", "a"]);
});

Deno.test("name cache: keeps no more names than the limit, the oldest go", async () => {
  const resolver = new FakeResolver({});
  const cache = new NameCache(resolver, LIMITS, () => 0);
  for (const name of ["a", "b", "c", "d"]) await cache.addresses(name);
  for (const name of ["b", "c", "d", "a"]) await cache.addresses(name);
  assertEquals(resolver.asked, ["a", "b", "c", "d", "a"]);
});

Deno.test("name cache: a name that is asked for anew is the youngest again", async () => {
  let now = 0;
  const resolver = new FakeResolver({});
  const cache = new NameCache(resolver, LIMITS, () => now);
  await cache.addresses("a");
  now = 50;
  for (const name of ["b", "c"]) await cache.addresses(name);
  now = 100;
  for (const name of ["a", "d", "a", "c"]) await cache.addresses(name);
  assertEquals(resolver.asked, ["a", "b", "c", "a", "d"]);
});

Deno.test("name cache: no more open questions than the limit", async () => {
  const gate = Promise.withResolvers<readonly string[]>();
  const cache = new NameCache(
    { addresses: () => gate.promise, names: () => gate.promise },
    LIMITS,
    () => 0,
  );
  const open = ["a", "b", "c"].map((name) => cache.addresses(name));
  assertEquals(cache.addresses("d"), undefined);
  gate.resolve(["1.1.1.1"]);
  await Promise.all(open);
  assertEquals(await cache.addresses("d"), ["1.1.1.1"]);
});

Deno.test("name cache: a failure is not remembered, a long answer is cut", async () => {
  let failing = true;
  const many = Array.from({ length: 500 }, (_, i) => `1.1.1.${i % 250}`);
  const cache = new NameCache(
    {
      addresses: () =>
        failing ? Promise.reject(new Error("down")) : Promise.resolve(many),
      names: () => Promise.resolve([]),
    },
    LIMITS,
    () => 0,
  );
  await assertRejects(() => cache.addresses("a")!, Error, "down");
  failing = false;
  assertEquals((await cache.addresses("a"))!.length, 32);
});
