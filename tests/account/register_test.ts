import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  about,
  AccountError,
  loginByKey,
  loginByPassphrase,
  register,
} from "../../lib/account/mod.ts";
import { SUBMIT } from "../../lib/account/commands.ts";
import { inviteHash } from "../../lib/account/registration.ts";
import { encodeKeyring, stretch } from "../../lib/identity/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import {
  ChannelError,
  CommandWriter,
  generateRsa,
  HELO,
  hkdfSha256,
  importAead,
  open,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import type { Account } from "../../lib/store/mod.ts";
import { freshKeyring, testKeyring } from "../support/keyrings.ts";
import { testRsaPair } from "../support/rsa_pair.ts";
import { doctoredStore } from "./doctored_store.ts";
import { EchoService } from "./echo_service.ts";
import { enrol, quickServer, sessionOn, whoAmI } from "./people.ts";
import { sideDoor } from "./side_door.ts";

/** Whether the other side answers HELO on `link`. */
async function isServed(link: CommandChannel): Promise<boolean> {
  await link.send(new CommandWriter().verb(HELO).done());
  return (await link.next())?.verb.name === "OLEH";
}

Deno.test("S0.3: to register is not to log in, and who has done neither is heard by no service", async () => {
  const echo = new EchoService();
  await using server = await quickServer(echo.installed);
  const keyring = await testKeyring("alice@test");
  const link = await server.connect();
  const submit = new CommandWriter().verb(SUBMIT).done();
  await link.send(submit);
  assert(await isServed(link), "SUBMIT was passed over, HELO answered");
  const usrKey = await register(link, server.node.certificate, keyring, {});
  await link.send(submit);
  assert(await isServed(link));
  assertEquals(server.accounts.sessions, 0);

  await loginByKey(link, keyring, usrKey);
  const session = sessionOn(link, keyring);
  assertEquals(await whoAmI(session), "alice@test");
  assertEquals(server.accounts.sessions, 1);
  await session.close();
  assertEquals(server.failures, []);
});

Deno.test("S0.3: who neither registers nor logs in is ended at the deadline, however it passes the time", async () => {
  await using server = await quickServer();
  // Ten seconds pass in half of one.
  await using door = sideDoor(server.accounts, server.node, { hurry: 20 });
  const member = await enrol(server, "alice@test");
  const started = performance.now();

  const silent = await door.dial();
  const idle = await door.connect();
  const busy = await door.connect();
  const registered = await door.connect();
  await register(
    registered,
    server.node.certificate,
    await testKeyring("bob@test"),
    {},
  );
  const loggedIn = await door.connect();
  await loginByKey(loggedIn, member.keyring, member.usrKey);
  const session = sessionOn(loggedIn, member.keyring);
  await session.ping();

  async function chatter(): Promise<void> {
    while (await isServed(busy)) await pause(20);
  }
  assertEquals(await silent.read(new Uint8Array(1)), null);
  await assertRejects(() => idle.next(), ChannelError);
  await assertRejects(chatter, ChannelError);
  await assertRejects(() => registered.next(), ChannelError);
  const took = performance.now() - started;
  assert(took >= 480, `${took} ms`);
  await pause(100);
  assertEquals(await whoAmI(session), "alice@test");
  await session.close();
  silent.close();
});

Deno.test("S0.3: the time in which the server makes a key pair is not the client's, and a refusal gives it no more", async () => {
  await using server = await quickServer({
    now: () => Math.round(performance.now() * 10),
    usrPairsForTesting: async () => {
      await pause(1_300);
      return await testRsaPair();
    },
  });
  await using door = sideDoor(server.accounts, server.node, { hurry: 10 });
  const keyring = await testKeyring("alice@test");
  const link = await door.connect();
  const usrKey = await register(link, server.node.certificate, keyring, {});
  await loginByKey(link, keyring, usrKey);
  const session = sessionOn(link, keyring);
  assertEquals(await whoAmI(session), "alice@test");
  await session.close();

  const other = await door.connect();
  const thief = await freshKeyring("alice@test");
  const started = performance.now();
  const error = await assertRejects(async () => {
    for (;;) {
      await assertRejects(
        () => register(other, server.node.certificate, thief, {}),
        AccountError,
      );
      await pause(50);
    }
  }, Error);
  // What was expected did not come: the connection ended instead of another refusal.
  assert(error.message.includes("ChannelError"), error.message);
  const took = performance.now() - started;
  assert(took >= 900 && took < 5_000, `${took} ms`);
});

Deno.test("account server: what fails inside is told as such, its operator learns why, the connection goes on", async () => {
  await using server = await quickServer();
  let isBroken = true;
  await using broken = await quickServer({
    node: server.node,
    store: doctoredStore(server.store, (account) => {
      if (isBroken) throw new Error("Cannot read: the disk is gone");
      return account;
    }),
  });
  const keyring = await testKeyring("alice@test");
  const link = await broken.connect();
  const attempt = () => register(link, server.node.certificate, keyring, {});
  const error = await assertRejects(attempt, AccountError);
  assertEquals(error.reason, "internal");
  assert(!error.message.includes("disk"));
  assertEquals(broken.failures.map(String), [
    "Error: Cannot read: the disk is gone",
  ]);
  isBroken = false;
  await attempt();
  await link.close();
});

Deno.test("S2.3: a server says which zone a bare name is in, and who may register", async () => {
  await using server = await quickServer({
    rules: { zones: ["first", "second"], mode: "open" },
    maxPacket: 4_096,
  });
  const link = await server.connect();
  assertEquals(await about(link), {
    zone: "first",
    registration: "open",
    maxPacket: 4_096,
  });
  const { zone } = await about(link);
  const keyring = await testKeyring(`dora@${zone}`);
  await register(link, server.node.certificate, keyring, {});
  await link.close();

  await using closed = await quickServer({
    rules: { zones: ["test"], mode: "invite" },
  });
  const other = await closed.connect();
  assertEquals((await about(other)).registration, "invite");
  await other.close();
});

Deno.test("S0.3: an invite is asked for over the wire, and its use is spent there", async () => {
  await using server = await quickServer({
    rules: { zones: ["test"], mode: "invite" },
    now: () => 1_000,
  });
  await server.store.invites.create({
    hash: await inviteHash(utf8("open sesame")),
    uses: 1,
    expiresAt: 2_000,
    note: "",
  });
  const keyring = await testKeyring("alice@test");
  const link = await server.connect();
  const attempt = (invite?: string) =>
    register(link, server.node.certificate, keyring, { invite });
  for (
    const [invite, reason] of [
      [undefined, "invite-needed"],
      ["close sesame", "invite-invalid"],
    ] as const
  ) {
    const error = await assertRejects(() => attempt(invite), AccountError);
    assertEquals(error.reason, reason);
  }
  await attempt("open sesame");
  assertEquals(await server.store.invites.list(), []);
  await link.close();
});

Deno.test("S0.5 S3.2: what lies on the server's disk holds no private key, no passphrase and nothing that proves it", async () => {
  const pairs = [await generateRsa(true), await generateRsa(true)];
  await using server = await quickServer({
    usrPairsForTesting: async () => pairs.shift() ?? await testRsaPair(),
  });
  const a = await enrol(server, "alice@test", {
    passphrase: "correct horse battery",
  });
  const b = await enrol(server, "bot@test");
  assert(a.usrKey.toHex() !== b.usrKey.toHex(), "each has its own USR key");

  const disk = await bytesOf(server.database);
  for (const { keyring, usrKey } of [a, b]) {
    const { address, bytes } = keyring.certificate;
    const account = (await server.store.accounts.byAddress(address))!;
    assertEquals(account.usrPublic, usrKey);
    assert(disk.includes(bytes.toHex()), "the scan finds what is there");
    assert(disk.includes(usrKey.toHex()), "the scan finds what is there");
    const known = [bytes, usrKey, keyring.rsa.publicKey];
    const usr = await openUsrKey(server.node, account);
    assertHides(disk, usr, known);
    assertHides(disk, await encodeKeyring(keyring), known);
  }
  const account = (await server.store.accounts.byAddress("alice@test"))!;
  const { auth } = await stretch("correct horse battery", account.kdfSalt!, {
    memoryKiB: account.kdfMemoryKiB!,
    passes: account.kdfPasses!,
  });
  assert(!disk.includes(auth.toHex()), "auth");
  assert(!disk.includes(utf8("correct horse").toHex()), "passphrase");
  assert(!disk.includes(server.node.storageSecret.toHex()), "storage secret");
  // All of this was the right account's: it logs in with it.
  const link = await server.connect();
  await loginByPassphrase(
    link,
    server.node.certificate,
    "alice@test",
    "correct horse battery",
  );
  await link.close();
});

/** The bytes of an SQLite database, with what is not in its main file yet, in hexadecimal. */
async function bytesOf(database: string): Promise<string> {
  const main = await Deno.readFile(database);
  const log = await Deno.readFile(`${database}-wal`);
  return main.toHex() + log.toHex();
}

/** The private half of an account's USR key as PKCS#8, as the server alone can open it. */
async function openUsrKey(
  { storageSecret }: NodeKeyring,
  { usrPrivateWrapped, certificateId }: Account,
): Promise<Bytes> {
  const info = utf8("sotto USR keys at rest");
  const key = await hkdfSha256(storageSecret, new Uint8Array(0), info, 32);
  return await open(
    await importAead(key),
    usrPrivateWrapped.slice(0, 12),
    usrPrivateWrapped.slice(12),
    certificateId,
  );
}

/** No 24 bytes of `secret` lie on `disk`, except those that are public anyway. */
function assertHides(disk: string, secret: Bytes, known: Bytes[]): void {
  const open = known.map((bytes) => bytes.toHex()).join(" ");
  let looked = 0;
  for (let at = 0; at + 24 <= secret.length; at += 8) {
    const part = secret.subarray(at, at + 24).toHex();
    if (open.includes(part)) continue;
    looked++;
    assert(!disk.includes(part), `bytes ${at} to ${at + 24}`);
  }
  assert(looked > 100, `only ${looked} parts were looked for`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
