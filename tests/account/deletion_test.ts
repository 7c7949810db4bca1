import { assertEquals, assertRejects } from "@std/assert";
import {
  AccountError,
  deleteAccount,
  loginByKey,
  loginByPassphrase,
  register,
  SessionKeyError,
} from "../../lib/account/mod.ts";
import { freshKeyring } from "../support/keyrings.ts";
import { generateRsa } from "../../lib/protocol/mod.ts";
import { echo, EchoService } from "./echo_service.ts";
import {
  enrol,
  enrolCheaply,
  enter,
  quickServer,
  sessionOn,
  whoAmI,
} from "./people.ts";

async function reasonOf(attempt: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(attempt, AccountError)).reason;
}

Deno.test("S3.3: an account is deleted with its passphrase only, all of its sessions end, its name is never given away", async () => {
  const echoes = new EchoService();
  const usrPair = await generateRsa(true);
  await using server = await quickServer({
    ...echoes.installed,
    usrPairsForTesting: () => Promise.resolve(usrPair),
  });
  const { certificate } = server.node;
  const alice = await enrolCheaply(server, "alice@test", "right words");
  const bob = await enter(server, await enrol(server, "bob@test"));
  const others = [await enter(server, alice), await enter(server, alice)];
  for (const each of others) await each.request(echo(1));
  const session = await enter(server, alice);
  const attempt = (passphrase?: string, address = "alice@test") =>
    deleteAccount(session, certificate, address, passphrase);

  assertEquals(await reasonOf(() => attempt()), "credentials");
  assertEquals(await reasonOf(() => attempt("wrong words")), "credentials");
  const wrongName = () => attempt("right words", "bob@test");
  assertEquals(await reasonOf(wrongName), "credentials");
  assertEquals(await whoAmI(others[0]!), "alice@test");

  await attempt("right words");
  for (const each of others) assertEquals(await each.ended, undefined);
  // The session that did it is told that there is nobody any more.
  assertEquals(await reasonOf(() => whoAmI(session)), "unknown-person");
  await session.close();

  const link = await server.connect();
  const byPassphrase = () =>
    loginByPassphrase(link, certificate, "alice@test", "right words");
  assertEquals(await reasonOf(byPassphrase), "credentials");
  const again = await freshKeyring("alice@test");
  for (const keyring of [alice.keyring, again]) {
    assertEquals(
      await reasonOf(() => register(link, certificate, keyring, {})),
      "name-taken",
    );
  }
  await loginByKey(link, alice.keyring, alice.usrKey);
  const ghost = sessionOn(link, alice.keyring);
  await assertRejects(() => whoAmI(ghost), SessionKeyError);
  await ghost.ended;
  // Others go on.
  assertEquals(await whoAmI(bob), "bob@test");
  await bob.close();
});

Deno.test("S2.4: a non-interactive account is deleted by whoever holds its keys, if the name is said", async () => {
  await using server = await quickServer();
  const bot = await enrol(server, "bot@test");
  const session = await enter(server, bot);
  const { certificate } = server.node;
  assertEquals(
    await reasonOf(() =>
      deleteAccount(session, certificate, "bott@test", undefined)
    ),
    "credentials",
  );
  await deleteAccount(session, certificate, "bot@test", undefined);
  assertEquals(await server.store.accounts.count(), 0);
  await session.close();
});
