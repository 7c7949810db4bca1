import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  ACCOUNT,
  AccountError,
  ClientSession,
  loginByKey,
  loginByPassphrase,
  register,
  SessionKeyError,
  USERNAME,
  WHO_AM_I,
  YOU_ARE,
} from "../../lib/account/mod.ts";
import type { Keyring } from "../../lib/identity/mod.ts";
import { CommandWriter, fromUtf8, Vocabulary } from "../../lib/protocol/mod.ts";
import type { CommandChannel } from "../../lib/protocol/mod.ts";
import { freshKeyring, testKeyring } from "../support/keyrings.ts";
import { testServer } from "../support/server.ts";

const VOCABULARY = new Vocabulary(ACCOUNT);

function session(link: CommandChannel, keyring: Keyring): ClientSession {
  return new ClientSession(link, keyring, VOCABULARY, () => Promise.resolve());
}

async function whoAmI(client: ClientSession): Promise<string> {
  const answer = await client.request(
    new CommandWriter().verb(WHO_AM_I).done(),
  );
  assertEquals(answer.verb, YOU_ARE);
  return fromUtf8(answer.need(USERNAME));
}

Deno.test("S0.4 S0.5 S2.3 S3.2 S3.3: register, then log in by passphrase on a machine without keys", async () => {
  await using server = await testServer();
  const keyring = await testKeyring("alice@test");
  const first = await server.connect();
  const usrKey = await register(first, server.node.certificate, keyring, {
    passphrase: "correct horse",
  });
  await first.close();

  const second = await server.connect();
  const unlocked = await loginByPassphrase(
    second,
    server.node.certificate,
    "alice@test",
    "correct horse",
  );
  assertEquals(unlocked.usrKey, usrKey);
  assertEquals(unlocked.keyring.certificate, keyring.certificate);
  const client = session(second, unlocked.keyring);
  assertEquals(await whoAmI(client), "alice@test");
  await client.close();
  assertEquals(server.failures, []);
});

Deno.test("S2.4: a non-interactive account logs in by its certificate id", async () => {
  await using server = await testServer();
  const keyring = await testKeyring("bot@test");
  const first = await server.connect();
  const usrKey = await register(first, server.node.certificate, keyring, {});
  await loginByKey(first, keyring, usrKey);
  const client = session(first, keyring);
  assertEquals(await whoAmI(client), "bot@test");
  await client.close();
  assertEquals(server.failures, []);
});

Deno.test("S2.7: whoever cannot decrypt the session key falls silent at the next record", async () => {
  await using server = await testServer();
  const keyring = await testKeyring("carol@test");
  const link = await server.connect();
  const usrKey = await register(link, server.node.certificate, keyring, {});
  await link.close();

  // An unknown certificate gets an answer of the same kind, and then nothing.
  const stranger = await freshKeyring("carol@test");
  const other = await server.connect();
  await loginByKey(other, stranger, usrKey);
  const client = session(other, stranger);
  await assertRejects(() => whoAmI(client), SessionKeyError);
  assert(await client.ended instanceof SessionKeyError);
});

Deno.test("S3.2: a wrong passphrase and an unknown name are answered alike", async () => {
  await using server = await testServer();
  const link = await server.connect();
  await register(
    link,
    server.node.certificate,
    await testKeyring("alice@test"),
    {
      passphrase: "correct horse",
    },
  );
  for (const address of ["alice@test", "nobody@test"]) {
    const error = await assertRejects(
      () =>
        loginByPassphrase(link, server.node.certificate, address, "wrong one"),
      AccountError,
    );
    assertEquals(error.reason, "credentials");
  }
  await link.close();
});
