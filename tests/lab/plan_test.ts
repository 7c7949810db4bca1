import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags } from "../../cmd/flags.ts";
import { FLAGS, planOf } from "../../cmd/lab/settings.ts";
import {
  checkPlan,
  DEFAULT_PLAN,
  LabError,
  NOTHING_KEPT,
} from "../../lib/lab/mod.ts";
import type { LabPlan } from "../../lib/lab/mod.ts";

const POSSIBLE: readonly Partial<LabPlan>[] = [
  {},
  { controllers: 16 },
  { relays: 3 },
  { relays: 64 },
  { controllers: 3, quorum: 2 },
  { controllers: 3, quorum: 3 },
  { people: ["a", "bob-2", "x".repeat(32)] },
  { people: [], server: false },
  { onion: true },
  { interval: 1 },
  { interval: 3_600 },
  { relays: 7, mix: 8 },
  { relays: 3, mix: 4 },
  { cover: 10_000 },
];

const IMPOSSIBLE: readonly (readonly [Partial<LabPlan>, string])[] = [
  [{ controllers: 0 }, "0 controllers, not 1 to 16"],
  [{ controllers: 17 }, "17 controllers, not 1 to 16"],
  [{ relays: 2 }, "2 relays, not 3 to 64"],
  [{ relays: 65 }, "65 relays, not 3 to 64"],
  [{ relays: 3.5 }, "3.5 relays, not 3 to 64"],
  [{ relays: NaN }, "NaN relays, not 3 to 64"],
  [{ controllers: 3, quorum: 1 }, "1 as the quorum, not 2 to 3"],
  [{ controllers: 3, quorum: 4 }, "4 as the quorum, not 2 to 3"],
  [{ interval: 0 }, "0 seconds between two consensuses, not 1 to 3600"],
  [{ mix: 0 }, "0 mixes, not 1 to 8"],
  [{ mix: 9, relays: 10 }, "9 mixes, not 1 to 8"],
  [{ relays: 3, mix: 5 }, "3 relays for 4 mixes"],
  [{ mix: 2, server: false }, "rounds need a server"],
  [{ cover: 1, server: false }, "rounds need a server"],
  [
    { cover: 1, onion: true },
    "simulated clients need a server with an address",
  ],
  [{ cover: 10_001 }, "10001 simulated clients, not 0 to 10000"],
  [{ people: ["alice"], server: false }, "people need a server"],
  [{ onion: true, server: false }, "there is no server to hide"],
  [{ people: ["alice", "alice"] }, "two people have the same name"],
  [{ people: ["../alice"] }, '"../alice" is no name for a person'],
  [{ people: [""] }, '"" is no name for a person'],
  [{ people: ["x".repeat(33)] }, `"${"x".repeat(33)}" is no name for a person`],
  [{ people: Array.from({ length: 17 }, (_, i) => `p${i}`) }, "17 people"],
];

Deno.test("lab plan: what is possible", () => {
  for (const each of POSSIBLE) checkPlan({ ...DEFAULT_PLAN, ...each });
});

Deno.test("lab plan: what is not", () => {
  for (const [each, why] of IMPOSSIBLE) {
    const { code } = assertThrows(
      () => checkPlan({ ...DEFAULT_PLAN, ...each }),
      LabError,
      `Cannot raise such a lab: ${why}`,
    );
    assertEquals(code, "ERR_LAB_PLAN");
  }
});

Deno.test("lab plan: without flags it is the default", () => {
  assertEquals(planOf(parseFlags([], FLAGS).flags, NOTHING_KEPT), {
    ...DEFAULT_PLAN,
    quorum: undefined,
  });
});

Deno.test("lab plan: what flags leave open is as it was", () => {
  const before: LabPlan = {
    controllers: 3,
    quorum: 2,
    relays: 3,
    server: true,
    onion: true,
    proxy: false,
    people: ["alice"],
    interval: 5,
    mix: 3,
    cover: 7,
  };
  const kept = { ...NOTHING_KEPT, plan: before };
  const as = (...args: string[]) => planOf(parseFlags(args, FLAGS).flags, kept);
  assertEquals(as(), before);
  const other = as(
    ...["--relays", "7", "--people", "bob, carol", "--proxy"],
    ...["--quorum", "3", "--interval", "1m", "--server"],
    ...["--mix", "2", "--cover", "0"],
  );
  assertEquals(other, {
    controllers: 3,
    quorum: 3,
    relays: 7,
    server: true,
    onion: false,
    proxy: true,
    people: ["bob", "carol"],
    interval: 60,
    mix: 2,
    cover: 0,
  });
  const without = as("--no-server");
  assertEquals([without.server, without.onion], [false, false]);
  assertEquals(as("--server", "--onion").onion, true);
});
