import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { InOrder } from "../../../lib/onion/circuit/in_order.ts";
import { pause, within } from "../streams.ts";

/** Work that ends when it is told to. */
function work<T>() {
  return Promise.withResolvers<T>();
}

Deno.test("results are delivered in the order in which the work was begun, however it ends", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(1_000), { minLength: 1, maxLength: 30 }),
      async (ranks) => {
        const got: [number, string][] = [];
        const order = new InOrder<number, string>(
          (result, context) => got.push([result, context]),
          () => {},
        );
        const works = ranks.map((rank, i) => ({ rank, i, ...work<number>() }));
        for (const { promise, i } of works) order.push(promise, `c${i}`);
        assertEquals(order.length, works.length);
        for (const each of works.toSorted((a, b) => a.rank - b.rank)) {
          each.resolve(each.i);
          await Promise.resolve();
        }
        await pause(0);
        assertEquals(got, works.map(({ i }) => [i, `c${i}`]));
        assertEquals(order.length, 0);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("behind a failure nothing is delivered, and it is told once", async () => {
  for (const failing of [0, 1, 2]) {
    const got: number[] = [];
    const failures: unknown[] = [];
    const order = new InOrder<number, undefined>(
      (result) => got.push(result),
      (error) => failures.push(error),
    );
    const works = [work<number>(), work<number>(), work<number>()];
    for (const { promise } of works) order.push(promise, undefined);
    const room = order.below(1);
    works[failing]!.reject(new Error("broken"));
    await within(20_000, "whoever waits for room", room!);
    for (const [i, each] of works.entries()) {
      if (i !== failing) each.resolve(i);
    }
    order.push(Promise.resolve(7), undefined);
    order.push(Promise.reject(new Error("again")), undefined);
    await pause(0);
    assert(got.every((each) => each < failing), `${got}`);
    assertEquals(failures.length, 1);
    // What comes after is not kept.
    assertEquals(order.length, 0);
    assertEquals(order.below(1), undefined);
  }
});

Deno.test("a delivery that throws is a failure", async () => {
  const got: number[] = [];
  const failures: unknown[] = [];
  const order = new InOrder<number, undefined>((result) => {
    if (result === 1) throw new Error("no");
    got.push(result);
  }, (error) => failures.push(error));
  for (const each of [0, 1, 2]) order.push(Promise.resolve(each), undefined);
  await pause(0);
  assertEquals(got, [0]);
  assertEquals(failures.length, 1);
});

Deno.test("whoever waits for room goes on when there is some", async () => {
  const order = new InOrder<number, undefined>(() => {}, () => {});
  const works = [work<number>(), work<number>()];
  assertEquals(order.below(1), undefined);
  for (const { promise } of works) order.push(promise, undefined);
  assertEquals(order.below(3), undefined);
  let isThrough = false;
  const waiting = order.below(2)!.then(() => isThrough = true);
  // The second alone makes no room: the first is waited for.
  works[1]!.resolve(1);
  await pause(0);
  assert(!isThrough);
  works[0]!.resolve(0);
  await within(20_000, "the one who waits", waiting);
});
