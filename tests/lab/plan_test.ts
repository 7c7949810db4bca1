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
  };
  const kept = { ...NOTHING_KEPT, plan: before };
  const as = (...args: string[]) => planOf(parseFlags(args, FLAGS).flags, kept);
  assertEquals(as(), before);
  const other = as(
    ...["--relays", "7", "--people", "bob, carol", "--proxy"],
    ...["--quorum", "3", "--interval", "1m", "--server"],
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
  });
  const without = as("--no-server");
  assertEquals([without.server, without.onion], [false, false]);
  assertEquals(as("--server", "--onion").onion, true);
});
