import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import {
  calm,
  conversation,
  DIALED,
  meet,
  PERIOD,
  shown,
  statesOf,
} from "./two_people.ts";
import type { Side } from "./two_people.ts";

const FIRST = DIALED + 10_000;
const SIDES = [0, 1] as const;

/** What becomes of one side's part in a round. */
interface Fate {
  /** Not there at all; there, but what it hands in reaches nobody; there. */
  readonly given: "absent" | "missing" | "there";
  readonly reply: "whole" | "twice" | "random" | "flipped" | "lost" | "never";
  /** After how many rounds the reply comes. */
  readonly delay: number;
}

const fates: fc.Arbitrary<Fate> = fc.record({
  given: fc.constantFrom("absent", "missing", "there", "there", "there"),
  reply: fc.constantFrom(
    "whole",
    "whole",
    "whole",
    "twice",
    "random",
    "flipped",
    "lost",
    "never",
  ),
  delay: fc.nat(20).map((n) => n < 12 ? 0 : n - 12),
});

interface Plan {
  readonly rounds: readonly (readonly [Fate, Fate])[];
  readonly texts: readonly {
    readonly side: 0 | 1;
    readonly round: number;
    readonly length: number;
  }[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  rounds: fc.array(fc.tuple(fates, fates), {
    minLength: 1,
    maxLength: 90,
    size: "max",
  }),
  texts: fc.array(
    fc.record({
      side: fc.constantFrom(0, 1),
      round: fc.nat(90),
      length: fc.oneof(fc.nat(20), fc.nat(2000)),
    }),
    { maxLength: 16, size: "max" },
  ),
});

/** One thing that reaches a side, at the end of a round. */
interface Arrival {
  readonly at: number;
  readonly side: 0 | 1;
  readonly take: (to: Side) => Promise<void>;
}

function damaged(reply: Bytes, how: Fate["reply"]): Bytes {
  if (how === "random") return randomBytes(496);
  const copy = reply.slice();
  if (how === "flipped") copy[randomBytes(1)[0]!]! ^= 1;
  return copy;
}

let deliveredUnderLoss = 0;

/** Plays a plan; `said` are the texts of each side with their ids. */
async function play(
  people: readonly [Side, Side],
  { rounds, texts }: Plan,
  said: readonly [[string, string][], [string, string][]],
): Promise<number> {
  let underway: Arrival[] = [];
  let seen = 0;
  const check = (): void => {
    for (const side of SIDES) {
      const own = said[side].map(([, text]) => text);
      const heard = shown(people[1 - side]!);
      // Never twice, never out of order, nothing that was not said.
      assertEquals(heard, own.slice(0, heard.length));
      // Nothing that is not shown there is said to be delivered.
      const delivered = said[side].filter(([id]) =>
        statesOf(people[side], id).includes("delivered")
      );
      assert(delivered.every(([, text]) => heard.includes(text)));
      seen += delivered.length;
    }
  };
  for (let i = 0; i < 91; i++) {
    const start = FIRST + i * PERIOD;
    for (const { side, length } of texts.filter(({ round }) => round === i)) {
      const text = `${said[side].length}`.padEnd(length, ".");
      const id = people[side].conversation.say(text, i);
      said[side].push([id, text]);
    }
    const fate = rounds[i];
    if (fate !== undefined) {
      const present = fate.map(({ given }) => given !== "absent");
      const { left } = await meet(people, start, present);
      const [a, b] = SIDES.map((side) =>
        fate[side].given === "there" ? left[side] : undefined
      );
      for (const side of SIDES) {
        const { given, reply, delay } = fate[side];
        const own = left[side];
        if (own === undefined || reply === "never") continue;
        const other = side === 0 ? b : a;
        const comes = given === "missing" || reply === "lost"
          ? undefined
          : damaged(other ?? own, reply);
        underway.push({
          at: i + delay,
          side,
          take: async ({ conversation }) => {
            if (comes === undefined) return conversation.lost(start, "failed");
            await conversation.incoming(start, comes);
            if (reply === "twice") await conversation.incoming(start, comes);
          },
        });
      }
    }
    // Later rounds first: what is late comes out of order.
    const due = underway.filter(({ at }) => at <= i).reverse();
    underway = underway.filter(({ at }) => at > i);
    await Promise.all(due.map(({ side, take }) => take(people[side])));
    check();
  }
  deliveredUnderLoss += seen;
  return FIRST + 91 * PERIOD;
}

Deno.test("S3.8: whatever rounds lose, delay, repeat or alter: nothing delivered is lost, nothing comes twice, everything arrives in the end", async () => {
  let total = 0;
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const { alice, bob } = await conversation();
      const people = [alice, bob] as const;
      const said: [[string, string][], [string, string][]] = [[], []];
      const start = await play(people, plan, said);
      await calm(people, start, 150);
      for (const side of SIDES) {
        assertEquals(
          shown(people[1 - side]!),
          said[side].map(([, text]) => text),
        );
        for (const [id] of said[side]) {
          const states = statesOf(people[side], id);
          assertEquals(states.at(-1), "delivered");
          assertEquals(states.filter((s) => s === "delivered").length, 1);
          total++;
        }
      }
      // Both go on renewing their keys; what both hold, also in the midst of a step, is the same.
      assert(alice.conversation.generation >= 3);
      const [a, b] = people.map(({ conversation }) =>
        conversation.memoryForTestingOnly().braid.generations
      );
      const common = a!.filter((one) =>
        b!.some(({ number }) => number === one.number)
      );
      assert(common.length > 0);
      for (const one of common) {
        assertEquals(b!.find(({ number }) => number === one.number), one);
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
  assert(total > 50, `${total} texts`);
  assert(deliveredUnderLoss > 50, `${deliveredUnderLoss} while it lost`);
});
