import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../lib/protocol/mod.ts";
import type { Batch, Tampering } from "./mix_tampered.ts";
import { TamperedMix } from "./mix_tampered.ts";
import type { VirtualTime } from "../mix/virtual_time.ts";
import { assertAllArrived, assertTruthful } from "./mix_person.ts";
import { MixWorld } from "./mix_world.ts";
import { Random } from "./random.ts";

/** Set it to the seed of a failure to see that again. */
const SEED = Number(Deno.env.get("SOTTO_FUZZ_SEED") ?? 1);
const MIXES = 3;
const PERIOD = 2_000;
/** Exchange rounds in which something is done, and then so many in which nothing is. */
const ROUNDS = 3;

/** What is done, and how clients notice. */
interface Deed {
  /** For one round. */
  readonly tampering: (random: Random, time: VirtualTime) => Tampering;
  /** Covers do not come back; rounds fail; nothing at all. */
  readonly seen: "missing" | "failed" | "nothing";
}

function flipped(random: Random, bytes: Bytes): Bytes {
  const copy = bytes.slice();
  copy[random.below(copy.length)]! ^= 1 << random.below(8);
  return copy;
}

/** Each with the next but one, where there is one. */
function swapped(batch: Batch): Batch {
  return batch.map((each, i) => batch[i ^ 2] ?? each);
}

let earlier: Batch = [];

const DEEDS: Readonly<Record<string, Deed>> = {
  "drops half of the onions": {
    tampering(random) {
      let gone: boolean[] = [];
      return {
        forth(onions) {
          gone = onions.map(() => random.once(2));
          return onions.filter((_, i) => !gone[i]);
        },
        back(replies) {
          const left = [...replies];
          const length = replies[0]?.length ?? 0;
          return gone.map((is) => is ? random.bytes(length) : left.shift()!);
        },
      };
    },
    seen: "missing",
  },
  "alters onions": {
    tampering: (random) => ({
      forth: (onions) =>
        onions.map((each) => random.once(2) ? flipped(random, each) : each),
    }),
    seen: "missing",
  },
  "gives onions in another order": {
    tampering: () => ({ forth: swapped }),
    seen: "missing",
  },
  "gives every onion twice": {
    tampering: () => ({
      forth: (onions) => [...onions, ...onions],
      back: (replies) => replies.slice(0, replies.length / 2),
    }),
    seen: "nothing",
  },
  "gives the onions of an earlier round once more": {
    tampering() {
      let own = 0;
      return {
        forth(onions) {
          own = onions.length;
          const all = [...onions, ...earlier];
          earlier = onions;
          return all;
        },
        back: (replies) => replies.slice(0, own),
      };
    },
    seen: "nothing",
  },
  "takes its time": {
    tampering: (_, time) => ({
      async forth(onions) {
        await time.sleep(1_500);
        return onions;
      },
      async back(replies) {
        await time.sleep(1_500);
        return replies;
      },
    }),
    seen: "nothing",
  },
  "holds onions until it is too late": {
    tampering: (_, time) => ({
      async forth(onions) {
        await time.sleep(8_000);
        return onions;
      },
    }),
    seen: "failed",
  },
  "holds replies until it is too late": {
    tampering: (_, time) => ({
      async back(replies) {
        await time.sleep(8_000);
        return replies;
      },
    }),
    seen: "failed",
  },
  "alters replies": {
    tampering: (random) => ({
      back: (replies) =>
        replies.map((each) => random.once(2) ? flipped(random, each) : each),
    }),
    seen: "missing",
  },
  "gives replies in another order": {
    tampering: () => ({ back: swapped }),
    seen: "missing",
  },
  "gives everybody the first reply": {
    tampering: () => ({ back: (replies) => replies.map(() => replies[0]!) }),
    seen: "missing",
  },
};

for (let place = 0; place < MIXES; place++) {
  Deno.test(`S3.6, S3.7: whatever whoever holds mix ${place + 1} of ${MIXES} does, texts are shown once and in order, and what costs onions is noticed`, async () => {
    const random = new Random(SEED + place);
    let deed: Deed | undefined;
    earlier = [];
    await using world = await MixWorld.raise({
      mixes: MIXES,
      seed: SEED + place,
      between: (mix, at) =>
        at === place
          ? new TamperedMix(
            mix,
            MIXES - 1 - at,
            () => deed?.tampering(random, world.time) ?? {},
          )
          : mix,
    });
    const [alice, bob] = await world.talking();
    const missing = () =>
      alice.client.status.missing + bob.client.status.missing;
    const failed = () => alice.count("failed") + bob.count("failed");
    assertEquals([missing(), failed()], [0, 0]);
    for (const [name, each] of Object.entries(DEEDS)) {
      const before = { missing: missing(), failed: failed() };
      const exchanged = alice.count("exchanged");
      deed = each;
      alice.say(bob, `while it ${name}`);
      bob.say(alice, `while it ${name} `.padEnd(600, "."));
      await world.time.advance(ROUNDS * PERIOD);
      deed = undefined;
      await world.time.advance((each.seen === "failed" ? 8 : 2) * PERIOD);
      assertTruthful(alice, bob);
      const seen = missing() > before.missing
        ? "missing"
        : failed() > before.failed
        ? "failed"
        : "nothing";
      assertEquals(seen, each.seen, `SOTTO_FUZZ_SEED=${SEED}: it ${name}`);
      const went = alice.count("exchanged") - exchanged;
      assert(each.seen === "failed" || went > 0, name);
    }
    await world.time.advance(60_000);
    assertAllArrived(alice, bob);
    assertEquals(world.broken, []);
  });
}
