import { assert, assertEquals } from "@std/assert";
import { RunMode } from "../../lib/mix/round.ts";
import { MixWorld } from "./mix_world.ts";
import { assertAllArrived, assertTruthful } from "./mix_person.ts";
import { Random } from "./random.ts";

/** Set it to the seed of a failure to see that again. */
const SEED = Number(Deno.env.get("SOTTO_FUZZ_SEED") ?? 1);
const PERIOD = 2_000;

Deno.test("S3.5, S3.8: over 200 rounds with a mix killed at random nothing is shown twice, and nothing is lost that was shown as delivered", async () => {
  await killMixes(RunMode.ROUNDS, 200);
});

Deno.test("S3.5, S3.8: the same over 50 rounds of circuits", async () => {
  await killMixes(RunMode.CIRCUITS, 50);
});

async function killMixes(mode: RunMode, rounds: number): Promise<void> {
  const random = new Random(SEED);
  await using world = await MixWorld.raise({
    seed: SEED,
    // Circuits of noise take long to make, so there is none in runs of circuits.
    ...mode === RunMode.CIRCUITS ? { noise: { mean: 0, scale: 0 } } : {},
    service: { mode },
  });
  const { time, places } = world;
  const [alice, bob] = await world.talking();
  const before = [alice.count("failed"), alice.count("exchanged")];
  let kills = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [from, to] of [[alice, bob], [bob, alice]] as const) {
        if (!random.once(4)) continue;
        const length = random.once(6) ? random.below(1_500) : 10;
        from.say(to, `${from.said.length}`.padEnd(length, "."));
      }
      const moment = random.below(PERIOD);
      await time.advance(moment);
      const place = random.pick(places);
      if (place.host === undefined) {
        if (random.once(2)) place.start();
      } else if (random.once(10)) {
        const killing = place.kill();
        await time.advance(0);
        await killing;
        kills++;
      }
      await time.advance(PERIOD - moment);
      assertTruthful(alice, bob);
    }
    for (const place of places) place.start();
    await time.advance(120_000);
    assertAllArrived(alice, bob);
  } catch (cause) {
    throw new Error(`SOTTO_FUZZ_SEED=${SEED} fails`, { cause });
  }
  assert(kills >= rounds / 40, `${kills} kills`);
  assert(alice.count("failed") > before[0]!, "no round failed");
  const went = alice.count("exchanged") - before[1]!;
  assert(went > rounds / 4, `${went} rounds went well`);
  const words = alice.said.length + bob.said.length;
  assert(words > rounds / 4, `${words} texts`);
  assertEquals(world.broken, []);
}
