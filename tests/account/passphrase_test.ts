import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import {
  AccountError,
  changePassphrase,
  deleteAccount,
  loginByPassphrase,
} from "../../lib/account/mod.ts";
import type { ClientSession } from "../../lib/account/mod.ts";
import type { TestServer } from "../support/server.ts";
import {
  enrol,
  enrolCheaply,
  enter,
  quickServer,
  sessionOn,
  whoAmI,
} from "./people.ts";

/** Logs Alice in by a passphrase on a machine that knows nothing. */
async function unlock(
  server: TestServer,
  passphrase: string,
): Promise<ClientSession> {
  const link = await server.connect();
  try {
    const { keyring } = await loginByPassphrase(
      link,
      server.node.certificate,
      "alice@test",
      passphrase,
    );
    return sessionOn(link, keyring);
  } catch (error) {
    await link.close();
    throw error;
  }
}

async function reasonOf(attempt: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(attempt, AccountError)).reason;
}

Deno.test("S3.2 S3.3: a changed passphrase rewraps the keys, and nothing else changes", async () => {
  await using server = await quickServer();
  const alice = await enrolCheaply(server, "alice@test", "old words");
  await enrol(server, "bob@test");
  const before = (await server.store.accounts.byAddress("alice@test"))!;
  await server.store.letters.add({
    recipient: "alice@test",
    sender: "bob@test",
    letterId: new Uint8Array(16),
    body: new Uint8Array(546),
    storedAt: 1,
    expiresAt: 9e15,
  }, { letters: 10, bytes: 10_000 });

  const other = await enter(server, alice);
  const session = await enter(server, alice);
  const { certificate } = server.node;
  const change = (words: { before: string; after: string }) =>
    changePassphrase(session, certificate, alice.keyring, words);
  assertEquals(
    await reasonOf(() => change({ before: "wrong words", after: "new words" })),
    "credentials",
  );
  await change({ before: "old words", after: "new words" });

  // The old one stopped working, the new one works, and brings the same keys.
  assertEquals(
    await reasonOf(() => unlock(server, "old words")),
    "credentials",
  );
  const unlocked = await unlock(server, "new words");
  assertEquals(await whoAmI(unlocked), "alice@test");
  // Sessions that were open go on, and a device with keys comes back by key.
  for (const each of [other, session, unlocked]) {
    assertEquals(await whoAmI(each), "alice@test");
    await each.close();
  }
  const again = await enter(server, alice);
  assertEquals(await whoAmI(again), "alice@test");
  await again.close();

  const after = (await server.store.accounts.byAddress("alice@test"))!;
  for (
    const field of [
      "certificate",
      "certificateId",
      "usrPublic",
      "usrPrivateWrapped",
      "createdAt",
      "kind",
    ] as const
  ) assertEquals(after[field], before[field], field);
  for (
    const field of ["authSalt", "authHash", "kdfSalt", "wrappedKeys"] as const
  ) assertNotEquals(after[field], before[field], field);
  assertEquals([after.kdfMemoryKiB, after.kdfPasses], [65_536, 3]);
  const { letters } = await server.store.letters.usage("alice@test");
  assertEquals(letters, 1);
  assertEquals(server.failures, []);
});

Deno.test("S3.2: an account without a passphrase has none to change", async () => {
  await using server = await quickServer();
  const bot = await enrol(server, "bot@test");
  const session = await enter(server, bot);
  assertEquals(
    await reasonOf(() =>
      changePassphrase(session, server.node.certificate, bot.keyring, {
        before: "anything",
        after: "new words",
      })
    ),
    "credentials",
  );
  const account = await server.store.accounts.byAddress("bot@test");
  assertEquals(account?.kind, "non-interactive");
  assertEquals(account?.wrappedKeys, null);
  await session.close();
});

Deno.test("S3.2: guessing the passphrase from a stolen session is slowed, and the door stays open", async () => {
  let now = 1_000_000;
  await using server = await quickServer({ now: () => now });
  const alice = await enrolCheaply(server, "alice@test", "right words");
  const session = await enter(server, alice);
  const { certificate } = server.node;
  const guess = (words: string) =>
    deleteAccount(session, certificate, "alice@test", words);
  // All at once, so that no answer is waited for.
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, (_, i) => guess(`words ${i}`)),
  );
  const reasons = outcomes.map((each) =>
    each.status === "rejected" ? (each.reason as AccountError).reason : "taken"
  );
  assertEquals(reasons.filter((reason) => reason === "credentials").length, 6);
  assertEquals(reasons.filter((reason) => reason === "throttled").length, 6);
  // Now the right one is not looked at either, and the answer says for how long.
  const error = await assertRejects(() => guess("right words"), AccountError);
  assertEquals([error.reason, error.retryIn], ["throttled", 2]);
  // The owner logs in meanwhile.
  const owner = await unlock(server, "right words");
  assertEquals(await whoAmI(owner), "alice@test");
  await owner.close();
  now += 2_000;
  await changePassphrase(session, certificate, alice.keyring, {
    before: "right words",
    after: "new words",
  });
  await session.close();
});

Deno.test("S3.3: the passphrase may be any text, however its letters are composed", async () => {
  await using server = await quickServer();
  await enrolCheaply(server, "alice@test", "\u00e9cole \u{1f40e} ".repeat(40));
  const session = await unlock(server, "e\u0301cole \u{1f40e} ".repeat(40));
  assert(await whoAmI(session) === "alice@test");
  await session.close();
});
