import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { chooseMixes, printOf } from "../../../cmd/server/choose_mixes.ts";
import { FLAG_GUARD, FLAG_MIX } from "../../../lib/directory/mod.ts";
import type { ConsensusRelay } from "../../../lib/directory/mod.ts";
import { idsOf, printOf as printOfId, relay } from "../../onion/path/relays.ts";

const HEX = (id: number) => printOfId(id).toHex();

/** A mix at an address in a network of its own. */
function mix(id: number, more: { host?: string; family?: number[] } = {}) {
  return relay({ id, flags: FLAG_MIX, ...more });
}

function choose(
  relays: readonly ConsensusRelay[],
  count: number,
  options: Partial<Parameters<typeof chooseMixes>[2]> = {},
): number[] {
  return idsOf(chooseMixes(relays, count, {
    own: HEX(99),
    kept: [],
    avoided: new Set(),
    draw: (limit) => limit - 1,
    ...options,
  }));
}

Deno.test("choose mixes: only mixes, and never the server itself", () => {
  const relays = [
    mix(1),
    relay({ id: 2, flags: FLAG_GUARD }),
    mix(3),
    mix(99),
  ];
  assertEquals(choose(relays, 4), [1, 3]);
});

Deno.test("choose mixes: those of before stay, in their order", () => {
  const relays = [mix(1), mix(2), mix(3), mix(4)];
  const kept = [HEX(4), HEX(2), HEX(7)];
  assertEquals(choose(relays, 3, { kept }), [4, 2, 1]);
});

Deno.test("choose mixes: one that did not answer is taken only if there are no others", () => {
  const relays = [mix(1), mix(2), mix(3)];
  const avoided = new Set([HEX(1)]);
  const kept = [HEX(1), HEX(3)];
  assertEquals(choose(relays, 2, { kept, avoided }), [3, 2]);
  assertEquals(choose(relays, 3, { kept, avoided }), [3, 2, 1]);
});

Deno.test("choose mixes: no two of one family, if both say so", () => {
  const relays = [
    mix(1, { family: [2] }),
    mix(2, { family: [1] }),
    mix(3, { family: [4] }),
    mix(4),
  ];
  assertEquals(choose(relays, 4), [1, 3, 4]);
});

Deno.test("choose mixes: no two in one network of public addresses", () => {
  const relays = [
    mix(1, { host: "8.8.0.1" }),
    mix(2, { host: "8.8.255.1" }),
    mix(3, { host: "8.9.0.1" }),
    mix(4, { host: "2a00:1:0::1" }),
    mix(5, { host: "2a00:1:ffff::1" }),
    mix(6, { host: "2a00:2::1" }),
    mix(7, { host: "127.0.0.1" }),
    mix(8, { host: "127.0.0.1" }),
    mix(9, { host: "10.0.0.1" }),
    mix(10, { host: "10.0.0.2" }),
  ];
  assertEquals(choose(relays, 10), [1, 3, 4, 6, 7, 8, 9, 10]);
});

Deno.test("choose mixes: each is as likely as any other, at any place", () => {
  const relays = [mix(1), mix(2), mix(3)];
  const seen = new Map<string, number>();
  // All draws that there are for three.
  for (const first of [0, 1, 2]) {
    for (const second of [0, 1]) {
      const draws = [first, second];
      const order = choose(relays, 3, { draw: () => draws.shift()! }).join();
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
  }
  assertEquals([...seen.values()], [1, 1, 1, 1, 1, 1]);
});

Deno.test("choose mixes: what is chosen keeps to all rules at once", () => {
  fc.assert(fc.property(
    fc.uniqueArray(
      fc.record({
        id: fc.integer({ min: 1, max: 40 }),
        isMix: fc.boolean(),
        net: fc.integer({ min: 1, max: 6 }),
      }),
      { selector: ({ id }) => id, maxLength: 20 },
    ),
    fc.integer({ min: 0, max: 8 }),
    fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
    (sketches, count, numbers) => {
      const relays = sketches.map(({ id, isMix, net }) =>
        relay({ id, host: `8.${net}.0.${id}`, flags: isMix ? FLAG_MIX : 0 })
      );
      const chosen = chooseMixes(relays, count, {
        own: HEX(3),
        kept: [HEX(5)],
        avoided: new Set([HEX(7)]),
        draw: (limit) => Math.floor(numbers.next().value * limit),
      });
      const nets = chosen.map(({ descriptor }) =>
        descriptor.address.host.split(".")[1]
      );
      assertEquals(new Set(nets).size, chosen.length);
      const able = sketches.filter(({ id, isMix }) => isMix && id !== 3);
      const possible = new Set(able.map(({ net }) => net)).size;
      assertEquals(chosen.length, Math.min(count, possible));
      const known = new Set(able.map(({ id }) => HEX(id)));
      assertEquals(chosen.every((each) => known.has(printOf(each))), true);
    },
  ));
});
