import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { chooseRelay } from "../../../lib/onion/path/relay_choice.ts";
import { draws, idsOf, relay, seeded } from "./relays.ts";

function relaysOf(bandwidths: readonly number[]) {
  return bandwidths.map((bandwidth, id) => relay({ id, bandwidth }));
}

Deno.test("S4.3: relays are chosen exactly in proportion to their bandwidth", () => {
  const bandwidths = fc.array(fc.integer({ min: 1, max: 20 }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(fc.property(bandwidths, (bandwidths) => {
    const relays = relaysOf(bandwidths);
    const total = bandwidths.reduce((sum, each) => sum + each, 0);
    const counts = relays.map(() => 0);
    for (let drawn = 0; drawn < total; drawn++) {
      counts[idsOf([chooseRelay(relays, draws(drawn))!])[0]!]!++;
    }
    assertEquals(counts, bandwidths);
  }));
});

Deno.test("S4.3: a relay that boasts does not draw all circuits to itself", () => {
  const relays = relaysOf([1_250_000_000, Number.MAX_SAFE_INTEGER]);
  const random = seeded(7);
  let second = 0;
  for (let i = 0; i < 1_000; i++) {
    second += idsOf([chooseRelay(relays, random)!])[0]!;
  }
  assert(Math.abs(second - 500) < 130, `${second}`);
});

Deno.test("relays that offer no bandwidth count a little, none gives none", () => {
  assertEquals(idsOf([chooseRelay(relaysOf([0, 0]), draws(1))!]), [1]);
  assertEquals(chooseRelay([], draws()), undefined);
});
