import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  FLAG_EXIT,
  FLAG_GUARD,
  FLAG_MIDDLE_ONLY,
} from "../../../lib/directory/mod.ts";
import type { ConsensusRelay } from "../../../lib/directory/mod.ts";
import {
  choosePath,
  isForbidden,
} from "../../../lib/onion/path/choose_path.ts";
import type { PathWish } from "../../../lib/onion/path/choose_path.ts";
import { areKin } from "../../../lib/onion/path/kinship.ts";
import { idsOf, printOf, relay, seeded } from "./relays.ts";
import type { RelaySketch } from "./relays.ts";

/** The numbers of the relays of a path, or nothing. */
function path(
  sketches: readonly RelaySketch[],
  wish: Partial<PathWish> & { readonly guard?: number },
  seed = 1,
): number[] | undefined {
  const chosen = choosePath(sketches.map(relay), {
    hops: 3,
    guards: [printOf(wish.guard ?? 1)],
    distinctNetworks: true,
    ...wish,
  }, seeded(seed));
  return chosen === undefined ? undefined : idsOf(chosen);
}

/** `count` relays, numbered from 1, each in its own network. */
function network(count: number, of: Partial<RelaySketch> = {}): RelaySketch[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 1, ...of }));
}

/** Every number that stands at `place` in some path. */
function everyAt(
  place: number,
  sketches: readonly RelaySketch[],
  wish: Parameters<typeof path>[1],
): number[] {
  const seen = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    seen.add(path(sketches, wish, seed)!.at(place)!);
  }
  return [...seen].sort((a, b) => a - b);
}

const NO_EXIT = FLAG_GUARD;

Deno.test("S4.3: a path goes from the guard over others to an exit for the port", () => {
  const relays: RelaySketch[] = [
    { id: 1 },
    { id: 2, policy: "accept *:25" },
    { id: 3, policy: "accept *:80" },
    { id: 4, policy: "reject *:*" },
    { id: 5, policy: "accept *:80", flags: NO_EXIT },
    { id: 6, policy: "accept *:80", flags: FLAG_EXIT | FLAG_MIDDLE_ONLY },
  ];
  assertEquals(everyAt(-1, relays, { port: 25 }), [2]);
  assertEquals(everyAt(-1, relays, { port: 80 }), [3]);
  assertEquals(everyAt(0, relays, { port: 80 }), [1]);
  assertEquals(everyAt(1, relays, { port: 80 }), [2, 4, 5, 6]);
  assertEquals(path(relays, { port: 443 }), undefined);
  assertEquals(everyAt(-1, relays, { resolves: true }), [2, 3]);
  assertEquals(everyAt(-1, relays, {}), [2, 3, 4, 5]);
});

Deno.test("S4.3: an address that is known chooses the exits that connect to it", () => {
  const relays: RelaySketch[] = [
    { id: 1 },
    { id: 2, policy: "reject 8.8.8.8:*, accept *:80" },
    { id: 3, policy: "accept 8.8.8.0/24:80" },
    { id: 4, policy: "accept private:80" },
  ];
  assertEquals(everyAt(-1, relays, { port: 80, host: "8.8.8.8" }), [3]);
  assertEquals(everyAt(-1, relays, { port: 80, host: "9.9.9.9" }), [2]);
  assertEquals(everyAt(-1, relays, { port: 80, host: "10.0.0.1" }), [2, 4]);
  assertEquals(path(relays, { port: 80, host: "::1" }) !== undefined, true);
  // A name may have any address; exits for private ones only serve where there are no others.
  assertEquals(everyAt(-1, relays, { port: 80, host: "a.example" }), [2, 3]);
  const inner = relays.map((each) =>
    each.id === 4 ? each : { ...each, policy: "" }
  );
  assertEquals(everyAt(-1, inner, { port: 80, host: "a.example" }), [4]);
});

Deno.test("S4.3: the last relay can be named, whatever its policy, but not if it is middle only", () => {
  const relays: RelaySketch[] = [
    ...network(4, { policy: "" }),
    { id: 5, flags: FLAG_MIDDLE_ONLY },
  ];
  assertEquals(everyAt(-1, relays, { last: printOf(3), port: 80 }), [3]);
  assertEquals(path(relays, { last: printOf(5) }), undefined);
  assertEquals(path(relays, { last: printOf(9) }), undefined);
  assertEquals(path(relays, { last: printOf(1) }), undefined);
});

Deno.test("S4.3: no relay twice, for every length, and none more than there are", () => {
  for (let hops = 3; hops <= 8; hops++) {
    const found = path(network(hops), { hops })!;
    assertEquals(found[0], 1);
    assertEquals(found.toSorted(), network(hops).map(({ id }) => id));
    assertEquals(path(network(hops - 1), { hops }), undefined);
  }
  for (const hops of [-1, 0, 1, 2, 9, 3.5, NaN]) {
    assertThrows(() => path(network(10), { hops }), RangeError);
  }
});

Deno.test("S4.3: a relay that leads nowhere is given up for others", () => {
  // Of 3, 4 and 5 two are needed; 3 is kin of both others.
  const relays: RelaySketch[] = [
    { id: 1 },
    { id: 2, policy: "accept *:80" },
    { id: 3, policy: "", family: [4, 5], bandwidth: 1_000_000 },
    { id: 4, policy: "", family: [3] },
    { id: 5, policy: "", family: [3] },
  ];
  assertEquals(everyAt(1, relays, { port: 80, hops: 4 }), [4, 5]);
  assertEquals(everyAt(2, relays, { port: 80, hops: 4 }), [4, 5]);
  // An exit that is kin of all others leaves nobody for the middle.
  const exits: RelaySketch[] = [
    { id: 1 },
    { id: 2, family: [3, 4], bandwidth: 1_000_000 },
    { id: 3, family: [2] },
    { id: 4, family: [2], policy: "" },
  ];
  assertEquals(everyAt(-1, exits, { port: 80 }), [3]);
});

Deno.test("S4.3: the first guard is used while it can be, a later one where it cannot", () => {
  const guards = [1, 2, 3].map(printOf);
  assertEquals(everyAt(0, network(6), { guards }), [1]);
  const others = network(6).filter(({ id }) => id !== 1);
  assertEquals(everyAt(0, others, { guards }), [2]);
  assertEquals(
    everyAt(0, network(6), { guards, exclude: [printOf(1)] }),
    [2],
  );
  // The only exit is the first guard itself.
  const oneExit = network(6).map((each) => ({
    ...each,
    policy: each.id === 1 ? "accept *:80" : "",
  }));
  assertEquals(everyAt(0, oneExit, { guards, port: 80 }), [2]);
  const middle = network(6).map((each) => ({
    ...each,
    flags: each.id === 1 ? FLAG_MIDDLE_ONLY : FLAG_EXIT,
  }));
  assertEquals(everyAt(0, middle, { guards }), [2]);
  assertEquals(path(network(6), { guards: [] }), undefined);
  assertEquals(path(network(6), { guards: [printOf(9)] }), undefined);
});

Deno.test("S4.3: what is excluded is nowhere in a path", () => {
  for (let seed = 0; seed < 100; seed++) {
    const found = path(network(6), { exclude: [4, 5].map(printOf) }, seed)!;
    assert(!found.includes(4) && !found.includes(5), `${found}`);
  }
});

Deno.test("S4.3: relays of one network are in one path only where that is switched off", () => {
  const here = network(5).map((each) => ({ ...each, host: "127.0.0.1" }));
  assertEquals(path(here, {}), undefined);
  assertEquals(path(here, { distinctNetworks: false })!.length, 3);
});

Deno.test("S4.3: exits are drawn in proportion to their bandwidth", () => {
  const relays = [
    { id: 1 },
    { id: 2, bandwidth: 3_000 },
    { id: 3, bandwidth: 1_000 },
    { id: 4, policy: "" },
  ];
  let second = 0;
  for (let seed = 0; seed < 4_000; seed++) {
    if (path(relays, { port: 80 }, seed)!.at(-1) === 2) second++;
  }
  // 3,000 expected, standard deviation 27.
  assert(Math.abs(second - 3_000) < 170, `${second}`);
});

/** Whether there is any path at all, by trying all of them. */
function existsPath(
  relays: readonly ConsensusRelay[],
  hops: number,
  distinctNetworks: boolean,
): boolean {
  const kin = (a: ConsensusRelay, b: ConsensusRelay) =>
    areKin(a, b, distinctNetworks);
  function grow(taken: readonly ConsensusRelay[]): boolean {
    const free = relays.filter((each) => !taken.some((t) => kin(t, each)));
    if (taken.length === hops - 1) return free.some(isExit);
    return free.some((each) => grow([...taken, each]));
  }
  const isExit = (each: ConsensusRelay) =>
    (each.flags & FLAG_EXIT) !== 0 && !(each.flags & FLAG_MIDDLE_ONLY) &&
    each.descriptor.policy.mayPermit(80);
  const guard = relays.find((each) => idsOf([each])[0] === 1)!;
  return !(guard.flags & FLAG_MIDDLE_ONLY) && grow([guard]);
}

Deno.test("S4.3: every path keeps all rules, and one is found exactly if there is one", () => {
  const sketch = fc.record({
    host: fc.constantFrom(
      "1.1.0.1",
      "1.1.9.9",
      "1.2.0.1",
      "2.0.0.1",
      "3.0.0.1",
      "4.0.0.1",
      "2606::1",
      "2606:0:1::",
    ),
    policy: fc.constantFrom("", "accept *:80", "accept *:25"),
    bandwidth: fc.nat(5),
    family: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 4 }),
    flags: fc.constantFrom(
      0,
      FLAG_GUARD,
      FLAG_EXIT,
      FLAG_EXIT,
      FLAG_MIDDLE_ONLY,
    ),
  });
  fc.assert(
    fc.property(
      fc.array(sketch, { minLength: 1, maxLength: 7 }),
      fc.integer({ min: 3, max: 4 }),
      fc.boolean(),
      fc.nat(),
      (sketches, hops, distinctNetworks, seed) => {
        const relays = sketches.map((each, i) => relay({ id: i + 1, ...each }));
        const wish = { hops, guards: [printOf(1)], port: 80, distinctNetworks };
        const found = choosePath(relays, wish, seeded(seed));
        assertEquals(
          found !== undefined,
          existsPath(relays, hops, distinctNetworks),
        );
        if (found === undefined) return;
        assertEquals(found.length, hops);
        for (const [i, a] of found.entries()) {
          for (const b of found.slice(i + 1)) {
            assert(!areKin(a, b, distinctNetworks));
          }
        }
        assertEquals(idsOf(found)[0], 1);
        const [first, last] = [found[0]!, found.at(-1)!];
        assert(last.flags & FLAG_EXIT && last.descriptor.policy.mayPermit(80));
        assert(!((first.flags | last.flags) & FLAG_MIDDLE_ONLY));
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("S4.3: a path through 10,000 relays, or none through as many of one network, takes no time", () => {
  const many = Array.from(
    { length: 10_000 },
    (_, i) =>
      relay({ id: i + 1, host: `${1 + i % 200}.${i % 250}.0.1`, bandwidth: i }),
  );
  const one = many.map((_, i) =>
    relay({ id: i + 1, host: i === 0 ? "9.9.0.1" : "8.8.0.1" })
  );
  const wish = {
    hops: 3,
    guards: [printOf(1)],
    port: 80,
    distinctNetworks: true,
  };
  const start = performance.now();
  assertEquals(choosePath(many, wish, seeded(1))!.length, 3);
  assertEquals(choosePath(many, { ...wish, port: 25 }, seeded(1)), undefined);
  assertEquals(choosePath(one, wish, seeded(1)), undefined);
  const took = performance.now() - start;
  assert(took < 3_000, `${took} ms`);
});

Deno.test("S4.3: a destination is forbidden if there are exits and none connects there", () => {
  const relays = [
    relay({ id: 1, policy: "reject 10.0.0.0/8:*, accept *:80" }),
    relay({ id: 2, policy: "accept *:25", flags: NO_EXIT }),
    relay({
      id: 3,
      policy: "accept *:26",
      flags: FLAG_EXIT | FLAG_MIDDLE_ONLY,
    }),
  ];
  const table: readonly (readonly [Partial<PathWish>, boolean])[] = [
    [{ port: 80 }, false],
    [{ port: 80, host: "192.0.2.1" }, false],
    [{ port: 80, host: "10.1.2.3" }, true],
    [{ port: 80, host: "a.name.test" }, false],
    [{ port: 25 }, true],
    [{ port: 26 }, true],
    [{ port: 25, last: printOf(1) }, false],
    [{}, false],
    [{ resolves: true }, false],
  ];
  for (const [wish, expected] of table) {
    assertEquals(isForbidden(relays, wish), expected, JSON.stringify(wish));
    assertEquals(isForbidden(relays.slice(1), wish), false, "no exit");
  }
});
