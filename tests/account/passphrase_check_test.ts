import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { PassphraseCheck } from "../../lib/account/passphrase_check.ts";
import { DEFAULT_COST } from "../../lib/identity/mod.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import type { Account } from "../../lib/store/mod.ts";

const NOBODY: Account = {
  address: "a@z",
  kind: "non-interactive",
  certificate: randomBytes(4),
  certificateId: randomBytes(32),
  authSalt: null,
  authHash: null,
  kdfSalt: null,
  kdfMemoryKiB: null,
  kdfPasses: null,
  wrappedKeys: null,
  usrPublic: randomBytes(4),
  usrPrivateWrapped: randomBytes(4),
  device: null,
  createdAt: 0,
};

Deno.test("S3.2: what is stored proves auth and is not auth", async () => {
  const check = new PassphraseCheck(randomBytes(32));
  const auth = randomBytes(32);
  const record = await check.record(auth);
  assertEquals([record.authSalt.length, record.authHash.length], [16, 32]);
  const account = { ...NOBODY, ...record };
  assert(await check.holds(account, auth));
  const other = auth.slice();
  other[31]! ^= 1;
  for (const wrong of [other, auth.slice(1), new Uint8Array(0)]) {
    assert(!await check.holds(account, wrong));
  }
  assertNotEquals(record.authHash, auth);
  // Stored twice it looks different.
  assertNotEquals((await check.record(auth)).authHash, record.authHash);
});

Deno.test("S3.2: what is stored is worth nothing without the server's own secret", async () => {
  const auth = randomBytes(32);
  const record = await new PassphraseCheck(randomBytes(32)).record(auth);
  const thief = new PassphraseCheck(randomBytes(32));
  assert(!await thief.holds({ ...NOBODY, ...record }, auth));
});

Deno.test("passphrase check: no account, and one without a passphrase, hold nothing", async () => {
  const check = new PassphraseCheck(randomBytes(32));
  for (const auth of [new Uint8Array(32), randomBytes(32)]) {
    assert(!await check.holds(undefined, auth));
    assert(!await check.holds(NOBODY, auth));
  }
});

Deno.test("S3.2: an unknown name has a salt too, always the same, of its own", async () => {
  const secret = randomBytes(32);
  const check = new PassphraseCheck(secret);
  const first = await check.stretching(undefined, "nobody@z");
  assertEquals(first.salt.length, 16);
  assertEquals(first.cost, DEFAULT_COST);
  assertEquals(await check.stretching(undefined, "nobody@z"), first);
  // Also after a restart, and also where an account without a passphrase has the name.
  const again = new PassphraseCheck(secret);
  assertEquals(await again.stretching(undefined, "nobody@z"), first);
  assertEquals(await again.stretching(NOBODY, "nobody@z"), first);
  const others = [
    await check.stretching(undefined, "nobody@y"),
    await new PassphraseCheck(randomBytes(32))
      .stretching(undefined, "nobody@z"),
  ];
  for (const { salt } of others) assertNotEquals(salt, first.salt);
});

Deno.test("passphrase check: a known name has what was stored", async () => {
  const check = new PassphraseCheck(randomBytes(32));
  const kdfSalt = randomBytes(16);
  const account = { ...NOBODY, kdfSalt, kdfMemoryKiB: 19_456, kdfPasses: 2 };
  assertEquals(await check.stretching(account, "a@z"), {
    salt: kdfSalt,
    cost: { memoryKiB: 19_456, passes: 2 },
  });
});
