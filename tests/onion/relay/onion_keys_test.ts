import { assert, assertEquals, assertRejects } from "@std/assert";
import { OnionKeys } from "../../../lib/onion/relay/onion_keys.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";

const WEEK = 7 * 86_400;

Deno.test("a relay has one onion key until that is a week old, then two, and never more", async () => {
  const keys = OnionKeys.none();
  assert(await keys.rotate(1_000));
  const first = keys.publicKey;
  assertEquals(await keys.rotate(1_000 + WEEK - 1), false);
  assertEquals(keys.publicKey, first);
  assert(await keys.rotate(1_000 + WEEK));
  const second = keys.publicKey;
  assertEquals(keys.pairs.map((each) => each.publicKey), [second, first]);
  assert(await keys.rotate(1_000 + 2 * WEEK));
  assertEquals(keys.pairs.length, 2);
  assertEquals(keys.pairs[1]!.publicKey, second);
});

Deno.test("a relay that was away for long has no old key that is still good", async () => {
  const keys = OnionKeys.none();
  await keys.rotate(1_000);
  await keys.rotate(1_000 + 5 * WEEK);
  assertEquals(keys.pairs.length, 1);
});

Deno.test("onion keys come back from disk, under the relay's own secret only", async () => {
  const secret = randomBytes(32);
  const keys = OnionKeys.none();
  await keys.rotate(1_000);
  await keys.rotate(1_000 + WEEK);
  const stored = await keys.sealed(secret);
  const again = await OnionKeys.open(stored, secret);
  assertEquals(
    again.pairs.map((each) => each.publicKey),
    keys.pairs.map((each) => each.publicKey),
  );
  assertEquals(await again.rotate(1_000 + WEEK + 1), false);
  await assertRejects(() => OnionKeys.open(stored, randomBytes(32)));
  for (const at of [0, 11, 12, stored.length - 1]) {
    const altered = stored.slice();
    altered[at]! ^= 1;
    await assertRejects(() => OnionKeys.open(altered, secret));
  }
  for (let length = 0; length < stored.length; length++) {
    await assertRejects(() => OnionKeys.open(stored.slice(0, length), secret));
  }
});
