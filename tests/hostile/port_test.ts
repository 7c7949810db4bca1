import { assert, assertEquals } from "@std/assert";
import { ATTACKS } from "./attacks.ts";
import type { Attack } from "./attacks.ts";
import { Random } from "./random.ts";
import { remoteTarget } from "./remote_target.ts";
import { quiet, settle } from "./target.ts";
import { Witness } from "./witness.ts";

/** Inputs of each attack: a bounded number here, as many as one likes by hand. */
const INPUTS = Number(Deno.env.get("SOTTO_FUZZ_INPUTS") ?? 1_500);
/** Set it to the seed of a failure to see that again. */
const SEED = Number(
  Deno.env.get("SOTTO_FUZZ_SEED") ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);
/** Attackers at once. */
const ATTACKERS = 8;
const ADDRESSES = ["mallory@test", "witness@test", "nobody@test", "x", "@"];

for (const [name, attack] of Object.entries(ATTACKS)) {
  Deno.test(`S2.2: the port under attack by ${name}: others are served, memory is flat, nothing breaks inside`, async () => {
    try {
      await attacked(attack, SEED);
    } catch (error) {
      throw new Error(`SOTTO_FUZZ_SEED=${SEED} fails`, { cause: error });
    }
  });
}

async function attacked(attack: Attack, seed: number): Promise<void> {
  await using target = await remoteTarget();
  const resident = await settle(target, "mallory@test");
  const attackers = Array.from({ length: ATTACKERS }, (_, i) => ({
    target,
    random: new Random(seed + i),
    resident,
    addresses: ADDRESSES,
  }));
  const attackBy = (inputs: number) =>
    Promise.all(
      attackers.map((each) => attack(each, Math.ceil(inputs / ATTACKERS))),
    );
  const witness = await Witness.at(target, "witness@test");
  // The first inputs fill caches, and the compiler works on what they reach.
  await attackBy(Math.min(400, INPUTS));
  const before = await quiet(target);
  await attackBy(INPUTS);
  const after = await quiet(target);
  await witness.stop();
  assertEquals(after.unexpected, []);
  assertEquals(after.connections, 1, "connections are left");
  assertEquals(after.sessions, 1, "sessions are left");
  assert(
    after.live - before.live < 4_194_304,
    `${after.live - before.live} bytes more are live`,
  );
  assert(
    after.resident - before.resident < 96 * 1_048_576,
    `${after.resident - before.resident} bytes more are resident`,
  );
  assert(witness.longest < 5_000, `the witness waited ${witness.longest} ms`);
}
