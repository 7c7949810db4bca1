import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../lib/protocol/mod.ts";
import type { RatchetState } from "../../lib/mailbox/ratchet_state.ts";
import { encodeRatchetState } from "../../lib/mailbox/ratchet_state.ts";
import type { Sealed } from "./ratchet_sides.ts";
import { roundTrip, Side, sides } from "./ratchet_sides.ts";

Deno.test("S3.4: forward secrecy: a captured state holds nothing that opened earlier letters", async () => {
  const { alice, bob } = await sides();
  const past: Sealed[] = [];
  const secrets: Bytes[] = [];
  for (let i = 0; i < 6; i++) {
    for (const [from, to] of [[alice, bob], [bob, alice]] as const) {
      for (let j = 0; j < 2; j++) {
        for (const side of [from, to]) secrets.push(...keysOf(side.state));
        const letter = await from.write();
        await to.read(letter);
        past.push(letter);
      }
    }
  }
  // Leave the last chains behind, in which nothing was written since.
  secrets.push(...keysOf(alice.state), ...keysOf(bob.state));
  await roundTrip(alice, bob);
  await roundTrip(alice, bob);
  assertEquals(past.length, 24);
  for (const side of [alice, bob]) {
    for (const letter of past) {
      assert((await side.refusal(letter)).startsWith("ERR_RATCHET_U"));
    }
    // Not only do the functions refuse: the bytes of the keys are not there for anybody to use.
    const captured = encodeRatchetState(side.state).toHex();
    for (const secret of secrets) assert(!captured.includes(secret.toHex()));
  }
  assert(secrets.length > 100, `${secrets.length} secrets`);
});

Deno.test("S3.4: post-compromise security: a captured state opens nothing after a round trip", async () => {
  const { alice, bob } = await sides();
  await roundTrip(alice, bob);
  await bob.read(await alice.write());
  const thief = new Side(alice.state);
  const mirror = new Side({
    ...alice.state,
    remote: alice.state.local!.publicKey,
    receiving: alice.state.sending,
  });

  // Before the round trip the thief reads both directions: the capture is complete.
  const out = await alice.write("out");
  assertEquals(await mirror.read(out), "out");
  await bob.read(out);
  const back = await bob.write("back");
  assertEquals(await thief.read(back), "back");
  await alice.read(back);

  // Alice makes a new ratchet key when she writes; the thief has the root key but not hers.
  const healed = await alice.write("healed");
  await bob.read(healed);
  assertEquals(await mirror.refusal(healed), "ERR_RATCHET_UNOPENED");
  const after = await bob.write("after");
  assertEquals(await thief.refusal(after), "ERR_RATCHET_UNOPENED");
  const own = new Side({ ...thief.state });
  await own.write();
  assertEquals(await own.refusal(after), "ERR_RATCHET_UNOPENED");
  assertEquals(await alice.read(after), "after");
});

/** Every secret in a state from which a letter's key can be had. */
function keysOf(state: RatchetState): Bytes[] {
  return [
    state.root,
    ...(state.local === null ? [] : [state.local.privateKey]),
    ...(state.sending === null ? [] : [state.sending.key]),
    ...(state.receiving === null ? [] : [state.receiving.key]),
    ...state.skipped.map(({ messageKey }) => messageKey),
  ];
}
