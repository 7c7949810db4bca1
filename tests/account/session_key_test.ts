import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AccountServer,
  loginByKey,
  loginByPassphrase,
  SessionKeyError,
} from "../../lib/account/mod.ts";
import {
  CERTIFICATE_ID,
  LOGGED_IN,
  LOGIN,
  MAX_PACKET,
  SESSION_KEY,
  SESSION_SHARE,
} from "../../lib/account/commands.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import {
  CommandWriter,
  CryptoError,
  generateRsa,
  randomBytes,
  rsaDecrypt,
} from "../../lib/protocol/mod.ts";
import type { RsaKeyPair } from "../../lib/protocol/mod.ts";
import type { ServerStore } from "../../lib/store/mod.ts";
import { freshKeyring } from "../support/keyrings.ts";
import type { TestServer } from "../support/server.ts";
import { doctoredStore } from "./doctored_store.ts";
import { enrol, enrolCheaply, enter, quickServer, whoAmI } from "./people.ts";
import { sideDoor } from "./side_door.ts";
import { tap } from "./tapped_link.ts";

/** An RSA pair that is not the one which all test keyrings share. */
const OTHER_PAIR: RsaKeyPair = await generateRsa(true);

/** A server whose accounts have another USR pair than its own RSA pair. */
const WITH_OTHER_PAIR = {
  usrPairsForTesting: () => Promise.resolve(OTHER_PAIR),
};

/** Another server behind the same keys, as a thief of the node's key, or of its disk, would run it. */
function impostor(
  server: TestServer,
  parts: { node?: NodeKeyring; store?: ServerStore },
): { accounts: AccountServer; failures: unknown[] } {
  const failures: unknown[] = [];
  const accounts = new AccountServer({
    node: server.node,
    store: server.store,
    rules: { zones: ["test"], mode: "open" },
    services: [],
    tables: [],
    now: Date.now,
    failed: (error) => failures.push(error),
    ...parts,
  });
  return { accounts, failures };
}

Deno.test("S1.3: SESSION-KEY is sealed to the certificate's RSA key, for this connection, anew every time", async () => {
  await using server = await quickServer();
  const { keyring, usrKey } = await enrol(server, "alice@test");
  const sealed: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { link } = await tap(server);
    await loginByKey(link, keyring, usrKey);
    const key = link.received[0]!.need(SESSION_KEY);
    sealed.push(key.toHex());
    const { privateKey } = keyring.rsa;
    assertEquals((await rsaDecrypt(privateKey, key, link.hash)).length, 32);
    await assertRejects(
      () => rsaDecrypt(privateKey, key, randomBytes(32)),
      CryptoError,
    );
    const stranger = OTHER_PAIR.privateKey;
    await assertRejects(
      () => rsaDecrypt(stranger, key, link.hash),
      CryptoError,
    );
    await link.close();
  }
  assert(sealed[0] !== sealed[1]);
});

Deno.test("S1.3 S2.7: without the certificate's RSA key there is no session, whatever else was stolen", async () => {
  await using server = await quickServer();
  const { keyring, usrKey } = await enrol(server, "alice@test");
  const thief = { ...keyring, rsa: OTHER_PAIR };
  const link = await server.connect();
  await assertRejects(() => loginByKey(link, thief, usrKey), SessionKeyError);
  link.abort();
});

Deno.test("S2.7: who goes on without the session key is not understood, and the connection ends there", async () => {
  await using server = await quickServer();
  const { keyring } = await enrol(server, "alice@test");
  const link = await server.connect();
  await link.send(
    new CommandWriter().set(CERTIFICATE_ID, keyring.certificate.id)
      .set(MAX_PACKET, 65_536).set(SESSION_SHARE, randomBytes(384))
      .verb(LOGIN).done(),
  );
  assertEquals((await link.next())?.verb, LOGGED_IN);
  // Under the keys from before the login, which are all that it has.
  await link.send(new CommandWriter().verb(LOGIN).done());
  await assertRejects(() => link.next(), Error, "Cannot receive");
  assertEquals(
    server.failures.map((error) => (error as { code: string }).code),
    ["ERR_CHANNEL_FORGED"],
  );
  link.abort();
});

Deno.test("S2.7: an unknown certificate gets the same answer as a known one, and then silence", async () => {
  await using server = await quickServer(WITH_OTHER_PAIR);
  const member = await enrol(server, "carol@test");
  const stranger = await freshKeyring("carol@test");
  const answers: string[] = [];
  for (const keyring of [member.keyring, stranger]) {
    const { link } = await tap(server);
    await loginByKey(link, keyring, member.usrKey);
    answers.push(link.received[0]!.describe());
    await link.close();
  }
  assertEquals(answers[0], answers[1]);

  const session = await enter(server, { ...member, keyring: stranger });
  await assertRejects(() => whoAmI(session), SessionKeyError);
  assert(await session.ended instanceof SessionKeyError);
});

Deno.test("S0.5: a server that no longer has this account's USR key is noticed at the client", async () => {
  await using server = await quickServer();
  const member = await enrol(server, "alice@test");
  const session = await enter(server, member);
  assertEquals(await whoAmI(session), "alice@test");
  await session.close();

  // The key that it would show for another account, and none at all that opens.
  const bob = await enrol(server, "bob@test");
  const swapped = impostor(server, {
    store: doctoredStore(server.store, async (account) => {
      const other = await server.store.accounts.byAddress("bob@test");
      const { usrPublic, usrPrivateWrapped } = other!;
      return account && { ...account, usrPublic, usrPrivateWrapped };
    }),
  });
  const lost = impostor(server, {
    node: { ...server.node, storageSecret: randomBytes(32) },
  });
  assertEquals(bob.usrKey, member.usrKey, "test accounts share a pair");
  for (const { accounts, failures } of [swapped, lost]) {
    await using door = sideDoor(accounts, server.node);
    const session = await enter(door, member);
    await assertRejects(() => whoAmI(session), SessionKeyError);
    assert(await session.ended instanceof SessionKeyError);
    assert(failures[0] instanceof CryptoError, "its operator is told");
    await accounts.close();
  }
});

Deno.test("S0.5: the same at a login by passphrase", async () => {
  await using server = await quickServer();
  await enrolCheaply(server, "alice@test", "correct horse");
  const stolen = impostor(server, {
    // Everything but the private half: who could read the store, but not the node's key file.
    store: doctoredStore(
      server.store,
      (account) =>
        account && { ...account, usrPrivateWrapped: randomBytes(1_820) },
    ),
  });
  await using door = sideDoor(stolen.accounts, server.node);
  const link = await door.connect();
  await assertRejects(
    () =>
      loginByPassphrase(
        link,
        server.node.certificate,
        "alice@test",
        "correct horse",
      ),
    SessionKeyError,
  );
  link.abort();
  await stolen.accounts.close();
});

Deno.test("S0.5: a client that kept another USR key than the server's has no session", async () => {
  await using server = await quickServer();
  const { keyring } = await enrol(server, "alice@test");
  const { publicKey } = OTHER_PAIR;
  const session = await enter(server, { keyring, usrKey: publicKey });
  await assertRejects(() => whoAmI(session), SessionKeyError);
  await session.ended;
});
