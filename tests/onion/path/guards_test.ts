import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  FLAG_EXIT,
  FLAG_GUARD,
  FLAG_MIDDLE_ONLY,
} from "../../../lib/directory/mod.ts";
import { Guards } from "../../../lib/onion/path/guards.ts";
import { idOf, printOf, relay, seeded } from "./relays.ts";

const DAY = 86_400;
const START = 1_800_000_000;

/** Relays with these numbers, all of them guards. */
function network(ids: readonly number[]) {
  return ids.map((id) => relay({ id }));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** Guards sampled from relays 1 to `count`. */
function sampled(count = 30, seed = 1): Guards {
  const guards = new Guards();
  guards.update(network(upTo(count)), START, seeded(seed));
  return guards;
}

function usable(guards: Guards, now = START): number[] {
  return guards.usable(now).map(idOf);
}

function kept(guards: Guards): number {
  return guards.toJSON().guards.length;
}

Deno.test("S4.3: guards: a few are sampled, in an order that stays", () => {
  const guards = sampled();
  const first = usable(guards);
  assertEquals(new Set(first).size, 10);
  for (let day = 1; day < 100; day++) {
    const shuffled = network(upTo(30 + day).reverse());
    assert(!guards.update(shuffled, START + day * DAY, seeded(day)));
    assertEquals(usable(guards, START + day * DAY), first);
  }
  const others = new Set(upTo(20).map((seed) => usable(sampled(30, seed))[0]));
  assert(others.size > 8, "the first guard is drawn by chance");
});

Deno.test("S4.3: guards: only relays that the consensus calls guards, the fast ones sooner", () => {
  const relays = [
    relay({ id: 1, flags: FLAG_EXIT }),
    relay({ id: 2, flags: FLAG_GUARD | FLAG_MIDDLE_ONLY }),
    relay({ id: 3, flags: FLAG_GUARD, bandwidth: 1 }),
    relay({ id: 4, flags: FLAG_GUARD, bandwidth: 99 }),
  ];
  let fastFirst = 0;
  for (let seed = 0; seed < 200; seed++) {
    const guards = new Guards();
    assert(guards.update(relays, START, seeded(seed)));
    assertEquals(usable(guards).toSorted(), [3, 4]);
    if (usable(guards)[0] === 4) fastFirst++;
  }
  assert(fastFirst > 180, `${fastFirst}`);
  assertEquals(usable(new Guards()), []);
  assertEquals(new Guards().retryAt, Infinity);
});

Deno.test("S4.3: guards: the next one stands in for one that fails, which comes back", () => {
  const guards = sampled();
  const [first, second, third] = usable(guards);
  guards.failed(printOf(first!), START);
  assertEquals(usable(guards)[0], second);
  guards.succeeded(printOf(second!), START + 1);
  guards.failed(printOf(second!), START + 2);
  assertEquals(usable(guards, START + 2)[0], third);
  // Its time has come: it is tried before the others, and fails for longer.
  assertEquals(usable(guards, START + 9)[0], third);
  assertEquals(usable(guards, START + 10)[0], first);
  guards.failed(printOf(first!), START + 10);
  assertEquals(usable(guards, START + 29)[0], second);
  assertEquals(usable(guards, START + 30)[0], first);
  guards.succeeded(printOf(first!), START + 30);
  assertEquals(usable(guards, START + 30).slice(0, 3), [first, second, third]);
  guards.failed(printOf(first!), START + 31);
  assertEquals(usable(guards, START + 41)[0], first);
});

Deno.test("S4.3: guards: waits double, up to 10 minutes for the first three and an hour for others", () => {
  const guards = sampled();
  const order = usable(guards);
  for (const [place, longest] of [[0, 600], [2, 600], [3, 3_600]] as const) {
    const print = printOf(order[place]!);
    let now = START;
    const waits: number[] = [];
    for (let i = 0; i < 40; i++) {
      guards.failed(print, now);
      const failedAt = now;
      while (!usable(guards, now).includes(order[place]!)) now += 5;
      waits.push(now - failedAt);
    }
    const expected = upTo(40).map((n) => Math.min(10 * 2 ** (n - 1), longest));
    assertEquals(waits, expected);
  }
});

Deno.test("S4.3: guards: when all have failed there are none, and it is known until when", () => {
  const guards = sampled();
  const order = usable(guards);
  for (const [i, id] of order.entries()) guards.failed(printOf(id), START + i);
  assertEquals(usable(guards, START + 9), []);
  assertEquals(guards.retryAt, START + 10);
  assertEquals(kept(guards), 10);
  assert(!guards.update(network(upTo(30)), START + 9, seeded(1)));
  assertEquals(usable(guards, START + 9), []);
  assertEquals(usable(guards, START + 19), order);
});

Deno.test("S4.3: guards: after a time without network the first are tried again at once", () => {
  const guards = sampled();
  const order = usable(guards);
  guards.succeeded(printOf(order[0]!), START);
  let now = START + 100;
  for (; now < START + 700; now += 50) {
    for (const id of order) guards.failed(printOf(id), now);
  }
  assertEquals(usable(guards, now), []);
  guards.succeeded(printOf(order[5]!), now);
  assertEquals(usable(guards, now), [...order.slice(0, 3), order[5]]);
  // Not a second time: now they have shown that it is them.
  guards.failed(printOf(order[0]!), now);
  guards.succeeded(printOf(order[5]!), now + 1);
  assertEquals(usable(guards, now + 1), [order[1], order[2], order[5]]);
});

Deno.test("S4.3: guards: a client that starts without network tries the first again once it has one", () => {
  const guards = sampled();
  const order = usable(guards);
  for (let now = START; now < START + 700; now += 50) {
    for (const id of order) guards.failed(printOf(id), now);
  }
  guards.succeeded(printOf(order[5]!), START + 700);
  assertEquals(usable(guards, START + 700)[0], order[0]);
  // A guard that fails while others answer is at fault itself.
  const other = sampled();
  other.failed(printOf(order[0]!), START);
  other.succeeded(printOf(order[1]!), START + 5);
  assertEquals(usable(other, START + 5)[0], order[1]);
});

Deno.test("S4.3: guards: one that has left the consensus is not used, and dropped after 7 days", () => {
  const guards = sampled();
  const order = usable(guards);
  const without = network(upTo(30).filter((id) => id !== order[0]));
  assert(guards.update(without, START + DAY, seeded(2)));
  assertEquals(kept(guards), 11);
  assertEquals(usable(guards).slice(0, 9), order.slice(1));
  // It comes back to its place.
  assert(guards.update(network(upTo(30)), START + 7 * DAY, seeded(3)));
  assertEquals(usable(guards)[0], order[0]);
  guards.update(without, START + 8 * DAY, seeded(4));
  assert(!guards.update(without, START + 15 * DAY - 1, seeded(4)));
  assertEquals(kept(guards), 11);
  assert(guards.update(without, START + 15 * DAY, seeded(4)));
  assertEquals(kept(guards), 10);
});

Deno.test("S4.3: guards: one whose flag was taken away is not used", () => {
  const guards = sampled(3);
  const first = usable(guards)[0]!;
  const relays = upTo(3).map((id) =>
    relay({ id, flags: id === first ? FLAG_EXIT : FLAG_GUARD })
  );
  guards.update(relays, START, seeded(1));
  assertEquals(usable(guards).includes(first), false);
  assertEquals(usable(guards).length, 2);
});

Deno.test("S4.3: guards: never more than 20, however the network changes", () => {
  const guards = sampled(10);
  const fresh = (from: number) => network(upTo(10).map((id) => id + from));
  guards.update(fresh(100), START + 1, seeded(1));
  assertEquals(kept(guards), 20);
  guards.update(fresh(200), START + 2, seeded(1));
  assertEquals(kept(guards), 20);
  assertEquals(usable(guards), []);
  guards.update(fresh(200), START + 1 + 7 * DAY, seeded(1));
  assertEquals(usable(guards).length, 10);
});

Deno.test("S4.3: guards: each stays at most 120 days, and they do not leave all at once", () => {
  const guards = sampled(200);
  let first = new Set(usable(guards));
  const left: number[] = [];
  for (let day = 0; day <= 120; day++) {
    const now = START + day * DAY;
    guards.update(network(upTo(200)), now, seeded(day));
    const still = new Set(usable(guards, now).filter((id) => first.has(id)));
    for (let i = still.size; i < first.size; i++) left.push(day);
    first = still;
    assertEquals(usable(guards, now).length, 10);
  }
  assertEquals(first.size, 0);
  assert(left.every((day) => day >= 108), `${left}`);
  assert(new Set(left).size > 3, `${left}`);
});

Deno.test("S4.3: guards: come back as they were from what was stored, failures forgotten", () => {
  const guards = sampled();
  const order = usable(guards);
  guards.update(
    network(upTo(30).filter((id) => id !== order[1])),
    START,
    seeded(1),
  );
  guards.failed(printOf(order[0]!), START);
  const stored = JSON.stringify(guards);
  const again = new Guards(JSON.parse(stored));
  assertEquals(JSON.stringify(again), stored);
  assertEquals(usable(again)[0], order[0]);
  assert(!usable(again).includes(order[1]!));
  assert(again.update(network(upTo(30)), START + 1, seeded(1)));
  assertEquals(usable(again).slice(0, 10), order);
});

Deno.test("S4.3: guards: a clock that was ahead does not keep a guard for longer, nor drop it", () => {
  const guards = new Guards();
  guards.update(network(upTo(10)), START + 400 * DAY, seeded(1));
  const order = usable(guards);
  guards.update(network(upTo(10)), START, seeded(1));
  assertEquals(usable(guards), order);
  guards.update(network(upTo(10)), START + 120 * DAY, seeded(2));
  const { guards: all } = guards.toJSON();
  assert(all.every(({ addedAt }) => addedAt > START + 100 * DAY));
  assert(all.every(({ addedAt }) => addedAt <= START + 120 * DAY));
  // The same for when one left the consensus.
  const other = sampled();
  other.update([], START + 6 * DAY, seeded(3));
  other.update([], START, seeded(3));
  assertEquals(kept(other), 10);
  other.update([], START + 7 * DAY, seeded(3));
  assertEquals(kept(other), 0);
});

/** Each entry in a word: a guard that has expired may be drawn again, and is another entry then. */
function entries(guards: Guards): string[] {
  return guards.toJSON().guards.map((each) =>
    `${each.fingerprint} ${each.addedAt}`
  );
}

Deno.test("S4.3: guards: whatever happens, the bounds hold and the order is kept", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("update" as const),
      from: fc.nat(60),
      size: fc.nat(40),
    }),
    fc.record({
      kind: fc.constantFrom("failed" as const, "succeeded" as const),
      place: fc.nat(12),
    }),
  );
  const steps = fc.array(fc.tuple(step, fc.nat(20 * DAY)), { maxLength: 40 });
  fc.assert(
    fc.property(steps, fc.nat(), (steps, seed) => {
      const guards = new Guards();
      const random = seeded(seed);
      let now = START;
      for (const [each, wait] of steps) {
        const before = entries(guards);
        if (each.kind === "update") {
          const listed = upTo(each.size).map((id) => id + each.from);
          guards.update(network(listed), now, random);
          const ids = new Set(listed);
          assert(usable(guards, now).every((id) => ids.has(id)));
          if (kept(guards) < 20) {
            assertEquals(
              usable(guards, Infinity).length >= Math.min(10, listed.length),
              true,
            );
          }
        } else {
          const print = guards.usable(now)[each.place] ?? printOf(999);
          guards[each.kind](print, now);
          if (each.kind === "succeeded" && idOf(print) !== 999) {
            assert(usable(guards, now).includes(idOf(print)));
          }
        }
        const after = entries(guards);
        const prints = after.map((entry) => entry.split(" ")[0]);
        assert(after.length <= 20 && new Set(prints).size === after.length);
        const stayed = before.filter((print) => after.includes(print));
        assertEquals(after.slice(0, stayed.length), stayed);
        now += wait;
      }
    }),
    { numRuns: 300 },
  );
});
