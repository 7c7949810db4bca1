import { assert, assertEquals, assertThrows } from "@std/assert";
import { importDh, MalformedError } from "../../lib/protocol/mod.ts";
import { parseBundle } from "../../lib/mailbox/prekey_bundle.ts";
import type { PrekeySecrets } from "../../lib/mailbox/prekey_secrets.ts";
import {
  addOneTimePrekeys,
  createPrekeys,
  decodePrekeySecrets,
  encodePrekeySecrets,
  forgetExpiredPrekeys,
  forgetOneTimePrekey,
  ONE_TIME_LIMIT,
  PREKEY_GRACE_S,
  PREKEY_LIFETIME_S,
  prekeyRotationDue,
  publishBundle,
  rotatePrekeys,
} from "../../lib/mailbox/prekey_secrets.ts";
import { NOW, person } from "./people.ts";

const DAY = 86_400;

Deno.test("prekeys: what is published belongs to what is kept", async () => {
  const { own, prekeys } = await person();
  const bundle = await parseBundle(
    await publishBundle(own, prekeys),
    own.certificate,
  );
  const newest = prekeys.signed[0]!;
  assertEquals(bundle.createdAt, NOW);
  assertEquals(bundle.signedId, newest.signedId);
  assertEquals(bundle.kemId, newest.kemId);
  const pair = await importDh(newest.dhPrivate);
  assertEquals(bundle.signedKey, pair.publicKey);
});

Deno.test("prekeys: a signed prekey is due after 7 days and not before", async () => {
  assertEquals(PREKEY_LIFETIME_S, 7 * DAY);
  const prekeys = await createPrekeys(NOW);
  const table: readonly (readonly [number, boolean])[] = [
    [NOW - 1, false], // the clock was set back
    [NOW, false],
    [NOW + 7 * DAY, false],
    [NOW + 7 * DAY + 1, true],
  ];
  for (const [now, due] of table) {
    assertEquals(prekeyRotationDue(prekeys, now), due, `${now - NOW}`);
    const rotated = await rotatePrekeys(prekeys, now);
    assertEquals(rotated !== prekeys, due);
    assertEquals(rotated.signed.length, due ? 2 : 1);
  }
});

Deno.test("prekeys: a replaced one is kept 14 days from its replacement", async () => {
  assertEquals(PREKEY_GRACE_S, 14 * DAY);
  // Away for a year: the old prekey, to which others wrote meanwhile, must still be there.
  const back = NOW + 365 * DAY;
  const prekeys = await rotatePrekeys(await createPrekeys(NOW), back);
  assertEquals(prekeys.signed.map(({ createdAt }) => createdAt), [back, NOW]);
  const kept = (now: number) =>
    forgetExpiredPrekeys(prekeys, now).signed.map(({ createdAt }) => createdAt);
  assertEquals(kept(back + 14 * DAY), [back, NOW]);
  assertEquals(kept(back + 14 * DAY + 1), [back]);
  assertEquals(kept(back + 10_000 * DAY), [back]);
});

Deno.test("prekeys: daily rounds for three months keep at most four, numbers never repeat", async () => {
  let prekeys = await createPrekeys(NOW);
  const numbers = new Map<number, number>();
  let made = 0;
  for (let day = 0; day <= 90; day++) {
    const now = NOW + day * DAY;
    prekeys = await rotatePrekeys(prekeys, now);
    const added = await addOneTimePrekeys(prekeys, 1);
    prekeys = added.secrets;
    assert(prekeys.signed.length <= 4);
    assert(!prekeyRotationDue(prekeys, now));
    for (const [i, { createdAt }] of prekeys.signed.entries()) {
      assert(i === 0 || createdAt < prekeys.signed[i - 1]!.createdAt);
    }
    for (const { signedId, kemId, createdAt } of prekeys.signed) {
      for (const id of [signedId, kemId]) {
        assertEquals(numbers.get(id) ?? createdAt, createdAt);
        numbers.set(id, createdAt);
      }
    }
    assert(!numbers.has(added.added[0]!.id));
    numbers.set(added.added[0]!.id, -day);
    made++;
  }
  assertEquals(made, 91);
  // The first, and one every 8 days (7 days to the second are not yet more than 7).
  assertEquals(numbers.size, 91 + 2 * 12);
  assert(!numbers.has(0));
});

Deno.test("prekeys: a clock that jumps forth again and again leaves at most eight", async () => {
  let prekeys = await createPrekeys(NOW);
  for (let i = 1; i <= 12; i++) {
    // Each jump is one second more than the lifetime, so that grace has not run out for two of them;
    // then the clock goes back, which keeps every one within its grace.
    prekeys = await rotatePrekeys(prekeys, NOW + i * (7 * DAY + 1));
    prekeys = forgetExpiredPrekeys(prekeys, NOW);
  }
  assert(prekeys.signed.length <= 8);
  assertEquals(prekeys.signed[0]!.createdAt, NOW + 12 * (7 * DAY + 1));
});

Deno.test("prekeys: one-time prekeys are published, forgotten one by one, and bounded", async () => {
  const first = await addOneTimePrekeys(await createPrekeys(NOW), 3);
  assertEquals(
    first.added,
    first.secrets.oneTime.map(({ id, dhPublic }) => ({
      id,
      publicKey: dhPublic,
    })),
  );
  const gone = first.added[1]!.id;
  const left = forgetOneTimePrekey(first.secrets, gone);
  assertEquals(
    left.oneTime.map(({ id }) => id),
    [first.added[0]!.id, first.added[2]!.id],
  );
  assertEquals(first.secrets.oneTime.length, 3);

  const many = await addOneTimePrekeys(left, ONE_TIME_LIMIT - 1);
  assertEquals(many.secrets.oneTime.length, ONE_TIME_LIMIT);
  assertEquals(many.secrets.oneTime[0]!.id, first.added[2]!.id);
  assertEquals(many.added.length, ONE_TIME_LIMIT - 1);
});

Deno.test("prekeys: the private halves come back from the vault, cut at any byte they do not", async () => {
  const rotated = await rotatePrekeys(
    await createPrekeys(NOW),
    NOW + 8 * DAY,
  );
  const { secrets } = await addOneTimePrekeys(rotated, 2);
  const bytes = encodePrekeySecrets(secrets);
  assertEquals(decodePrekeySecrets(bytes), secrets);
  assertEquals(bytes.length, 1 + 4 + 1 + 2 * 144 + 2 + 2 * 68);
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(
      () => decodePrekeySecrets(bytes.subarray(0, length)),
      MalformedError,
    );
  }
  assertThrows(
    () => decodePrekeySecrets(new Uint8Array([...bytes, 0])),
    MalformedError,
  );
});

Deno.test("prekeys: bytes with no or too many prekeys, or another version, are malformed", async () => {
  const { prekeys } = await person();
  const one = prekeys.signed[0]!;
  const bad: readonly (readonly [PrekeySecrets, string])[] = [
    [{ ...prekeys, signed: [] }, "0 prekeys"],
    [{ ...prekeys, signed: Array(9).fill(one) }, "9 prekeys"],
    [{
      ...prekeys,
      oneTime: Array(ONE_TIME_LIMIT + 1).fill(prekeys.oneTime[0]!),
    }, "1001 prekeys"],
  ];
  for (const [secrets, message] of bad) {
    assertThrows(
      () => decodePrekeySecrets(encodePrekeySecrets(secrets)),
      MalformedError,
      message,
    );
  }
  const bytes = encodePrekeySecrets(prekeys);
  bytes[0] = 2;
  assertThrows(() => decodePrekeySecrets(bytes), MalformedError, "version 2");
});
