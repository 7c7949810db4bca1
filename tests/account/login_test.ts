import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AccountError,
  loginByKey,
  loginByPassphrase,
} from "../../lib/account/mod.ts";
import {
  CREDENTIALS,
  KDF_SALT,
  KO,
  LOGGED_IN,
  LOGIN,
  PREPARE,
  PREPARED,
  REASON,
  USERNAME,
} from "../../lib/account/commands.ts";
import { sealCredentials } from "../../lib/account/credentials.ts";
import {
  assembleNodeKeyring,
  MINIMUM_COST,
  stretch,
  WrongPassphraseError,
} from "../../lib/identity/mod.ts";
import type { NodeCertificate } from "../../lib/identity/mod.ts";
import {
  CommandWriter,
  fromUtf8,
  generateRsa,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel, Message } from "../../lib/protocol/mod.ts";
import { TEST_TIME, testKeyPairs } from "../support/keyrings.ts";
import { doctoredStore } from "./doctored_store.ts";
import {
  enrol,
  enrolCheaply,
  enter,
  quickServer,
  sessionOn,
  whoAmI,
} from "./people.ts";
import { tap } from "./tapped_link.ts";

const NO_INVITE = new Uint8Array(0);

/** Sends LOGIN with CREDENTIALS as they are; what comes back. */
async function logIn(
  link: CommandChannel,
  address: string,
  credentials: Bytes,
): Promise<Message> {
  const commands = new CommandWriter().set(USERNAME, utf8(address))
    .set(CREDENTIALS, credentials).verb(LOGIN).done();
  await link.send(commands);
  return (await link.next())!;
}

function reasonOf(answer: Message): string {
  assertEquals(answer.verb, KO);
  return fromUtf8(answer.need(REASON));
}

/** The part of a passphrase that proves it, as PREPARED says how. */
async function authOf(
  link: CommandChannel,
  address: string,
  passphrase: string,
): Promise<Bytes> {
  await link.send(
    new CommandWriter().set(USERNAME, utf8(address)).verb(PREPARE).done(),
  );
  const answer = (await link.next())!;
  assertEquals(answer.verb, PREPARED);
  const salt = answer.need(KDF_SALT);
  return (await stretch(passphrase, salt, MINIMUM_COST)).auth;
}

Deno.test("S2.3 S3.2 S3.3: register with a passphrase, then log in on a machine without keys", async () => {
  await using server = await quickServer();
  const { keyring, usrKey } = await enrol(server, "alice@test", {
    passphrase: "correct horse",
  });
  const link = await server.connect();
  const unlocked = await loginByPassphrase(
    link,
    server.node.certificate,
    "alice@test",
    "correct horse",
  );
  assertEquals(unlocked.usrKey, usrKey);
  assertEquals(unlocked.keyring.certificate, keyring.certificate);
  const session = sessionOn(link, unlocked.keyring);
  assertEquals(await whoAmI(session), "alice@test");
  await session.close();

  // What was fetched is enough for logins by key from then on.
  const again = await enter(server, unlocked);
  assertEquals(await whoAmI(again), "alice@test");
  await again.close();
  assertEquals(server.failures, []);
});

Deno.test("S2.4: a non-interactive account logs in by its certificate id, with no prompt", async () => {
  await using server = await quickServer();
  const bot = await enrol(server, "bot@test");
  const { link } = await tap(server);
  await loginByKey(link, bot.keyring, bot.usrKey);
  const session = sessionOn(link, bot.keyring);
  assertEquals(await whoAmI(session), "bot@test");
  // One question, one answer, and no name in it.
  assertEquals(link.sent.map(({ verb }) => verb.name).slice(0, 2), [
    "LOGIN",
    "SUBMIT",
  ]);
  assertEquals(
    link.sent[0]!.describe(),
    "CERTIFICATE-ID=32 bytes MAX-PACKET=65536 SESSION-SHARE=384 bytes LOGIN",
  );
  await session.close();

  // It has no passphrase that anybody could guess.
  const other = await server.connect();
  const error = await assertRejects(
    () =>
      loginByPassphrase(other, server.node.certificate, "bot@test", "anything"),
    AccountError,
  );
  assertEquals(error.reason, "credentials");
  await other.close();
  assertEquals(server.failures, []);
});

Deno.test("S2.3: one name in two zones is two accounts", async () => {
  await using server = await quickServer({
    rules: { zones: ["north", "south"], mode: "open" },
  });
  const passphrases = { "alice@north": "snow", "alice@south": "sand" };
  for (const [address, passphrase] of Object.entries(passphrases)) {
    await enrolCheaply(server, address, passphrase);
  }
  const ids = new Set<string>();
  for (const [address, passphrase] of Object.entries(passphrases)) {
    const link = await server.connect();
    const other = passphrase === "snow" ? "sand" : "snow";
    const error = await assertRejects(
      () => loginByPassphrase(link, server.node.certificate, address, other),
      AccountError,
    );
    assertEquals(error.reason, "credentials");
    const { keyring } = await loginByPassphrase(
      link,
      server.node.certificate,
      address,
      passphrase,
    );
    ids.add(keyring.certificate.id.toHex());
    const session = sessionOn(link, keyring);
    assertEquals(await whoAmI(session), address);
    await session.close();
  }
  assertEquals(ids.size, 2);
});

Deno.test("S3.2: a wrong passphrase and an unknown name are answered alike", async () => {
  await using server = await quickServer();
  await enrol(server, "alice@test", { passphrase: "correct horse" });
  const { link } = await tap(server);
  const answers: string[] = [];
  for (const address of ["alice@test", "nobody@test"]) {
    const error = await assertRejects(
      () =>
        loginByPassphrase(link, server.node.certificate, address, "wrong one"),
      AccountError,
    );
    assertEquals(error.reason, "credentials");
    answers.push(link.received.splice(0).map((m) => m.describe()).join("; "));
  }
  assertEquals(answers[0], answers[1]);
  await link.close();
});

Deno.test("S0.4: credentials that were seen in one connection are worth nothing in another", async () => {
  await using server = await quickServer();
  await enrolCheaply(server, "alice@test", "correct horse");
  const { certificate } = server.node;
  const first = await tap(server);
  await loginByPassphrase(
    first.link,
    certificate,
    "alice@test",
    "correct horse",
  );
  const used = first.link.sent.find(({ verb }) => verb === LOGIN)!
    .need(CREDENTIALS);
  await first.link.close();

  const second = await server.connect();
  assertEquals(
    reasonOf(await logIn(second, "alice@test", used)),
    "credentials",
  );
  // The same passphrase, sealed for this connection, is fine.
  const auth = await authOf(second, "alice@test", "correct horse");
  const fresh = await sealCredentials(certificate, second.hash, {
    auth,
    invite: NO_INVITE,
  });
  assertEquals((await logIn(second, "alice@test", fresh)).verb, LOGGED_IN);
  second.abort();
});

Deno.test("S0.4: credentials made for another server's key are refused", async () => {
  await using server = await quickServer();
  await enrolCheaply(server, "alice@test", "correct horse");
  const pairs = { ...await testKeyPairs(), rsa: await generateRsa(true) };
  const other = await assembleNodeKeyring(TEST_TIME, pairs);
  const link = await server.connect();
  const auth = await authOf(link, "alice@test", "correct horse");
  const sealedFor = (node: NodeCertificate) =>
    sealCredentials(node, link.hash, { auth, invite: NO_INVITE });
  const wrong = await sealedFor(other.certificate);
  assertEquals(
    reasonOf(await logIn(link, "alice@test", wrong)),
    "credentials",
  );
  const right = await sealedFor(server.node.certificate);
  assertEquals((await logIn(link, "alice@test", right)).verb, LOGGED_IN);
  link.abort();
});

Deno.test("S3.2: neither passphrase nor wrapping key leaves the machine, and auth only under the server's key", async () => {
  await using server = await quickServer();
  const { certificate } = server.node;
  const { link, stream } = await tap(server);
  await enrolCheaply(server, "alice@test", "correct horse");
  const { keyring } = await loginByPassphrase(
    link,
    certificate,
    "alice@test",
    "correct horse",
  );
  assertEquals(link.sent.map((message) => message.describe()), [
    "USERNAME=10 bytes PREPARE",
    "USERNAME=10 bytes MAX-PACKET=65536 CREDENTIALS=384 bytes LOGIN",
    "SESSION-SHARE=384 bytes SESSION",
  ]);
  const prepared = link.received.find(({ verb }) => verb === PREPARED)!;
  const { auth } = await stretch(
    "correct horse",
    prepared.need(KDF_SALT),
    MINIMUM_COST,
  );
  const inside = link.sent.map((message) =>
    [USERNAME, CREDENTIALS].map((p) => message.get(p)?.toHex() ?? "").join()
  ).join();
  for (const bytes of [auth, utf8("correct"), utf8("horse")]) {
    assert(!inside.includes(bytes.toHex()), "inside the channel");
  }
  // From outside not even the name is to be seen, nor what came back.
  const outside = stream.written.toHex() + stream.seen.toHex();
  assert(outside.length > 8_000);
  for (
    const bytes of [utf8("alice"), keyring.certificate.bytes.slice(0, 64), auth]
  ) assert(!outside.includes(bytes.toHex()), "outside the channel");
  await link.close();
});

Deno.test("S3.3: keys that the server swapped between two people are refused", async () => {
  await using server = await quickServer();
  await enrolCheaply(server, "alice@test", "same words");
  await enrolCheaply(server, "bob@test", "same words");
  const { accounts } = server.store;
  const [alice, bob] = [
    (await accounts.byAddress("alice@test"))!,
    (await accounts.byAddress("bob@test"))!,
  ];
  await accounts.changePassphrase("alice@test", {
    authSalt: alice.authSalt!,
    authHash: alice.authHash!,
    kdfSalt: alice.kdfSalt!,
    kdfMemoryKiB: alice.kdfMemoryKiB!,
    kdfPasses: alice.kdfPasses!,
    wrappedKeys: bob.wrappedKeys!,
  });
  // All that the passphrase is made with is Bob's, who has the same one.
  await accounts.changePassphrase("bob@test", {
    authSalt: bob.authSalt!,
    authHash: bob.authHash!,
    kdfSalt: bob.kdfSalt!,
    kdfMemoryKiB: bob.kdfMemoryKiB!,
    kdfPasses: bob.kdfPasses!,
    wrappedKeys: alice.wrappedKeys!,
  });
  for (const address of ["alice@test", "bob@test"]) {
    const link = await server.connect();
    await assertRejects(
      () =>
        loginByPassphrase(
          link,
          server.node.certificate,
          address,
          "same words",
        ),
      WrongPassphraseError,
    );
    link.abort();
  }
});

Deno.test("S3.3: keys in which the server put another person's whole record are refused", async () => {
  await using server = await quickServer();
  await enrolCheaply(server, "mallory@test", "same words");
  const mallory = (await server.store.accounts.byAddress("mallory@test"))!;
  // A server that shows Mallory's account, all of it, to whoever asks for Alice.
  await using liar = await quickServer({
    node: server.node,
    store: doctoredStore(server.store, () => mallory),
  });
  const link = await liar.connect();
  await assertRejects(
    () =>
      loginByPassphrase(
        link,
        server.node.certificate,
        "alice@test",
        "same words",
      ),
    WrongPassphraseError,
  );
  link.abort();
});
