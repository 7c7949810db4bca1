import { assert, assertEquals, assertRejects } from "@std/assert";
import { generateRsa } from "../../lib/protocol/mod.ts";
import { testServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { NaiveConnection, need, text } from "./naive_connection.ts";
import { fingerprint, readCertificate } from "./naive_identity.ts";
import type { NaiveCertificate } from "./naive_identity.ts";
import { loginByPassphrase, NaivePerson } from "./naive_person.ts";
import { ascii, join, random } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import type { NaiveMessage } from "./naive_risp.ts";
import { encodeId } from "./naive_risp.ts";

/** One pair as USR key of every account, another one than that of their certificates. */
const usrPair = await generateRsa(true);

/** A server that does not take half a second for every account. */
function quickServer(): Promise<TestServer> {
  return testServer({ usrPairsForTesting: () => Promise.resolve(usrPair) });
}

/** A connection to a server, with the certificate that it shows and the handshake done. */
async function connect(
  server: TestServer,
): Promise<{ connection: NaiveConnection; node: NaiveCertificate }> {
  const connection = new NaiveConnection(await server.dial());
  const shown = await connection.ask("PUBLIC-KEY");
  const certificate = need<Octets>(shown, "NODE-CERTIFICATE");
  const node = readCertificate("node", certificate);
  await connection.shake(node.agreementKey);
  return { connection, node };
}

Deno.test("S0.1 S0.2: a client of the text pings a server and takes its key", async () => {
  await using server = await quickServer();
  const connection = new NaiveConnection(await server.dial());
  assertEquals((await connection.ask("HELO")).verb, "OLEH");
  const shown = await connection.ask("PUBLIC-KEY");
  assertEquals(shown.verb, "PUBLIC-KEY-IS");
  const { id } = readCertificate("node", need(shown, "NODE-CERTIFICATE"));
  assertEquals(id, server.node.certificate.fingerprint);
  assertEquals(fingerprint(id).length, 64);
  connection.drop();
});

Deno.test("S1.2 S2.1 S2.2: a client of the text shakes hands and asks, with unknown commands among its own", async () => {
  await using server = await quickServer();
  const connection = new NaiveConnection(await server.dial());
  await connection.raw(join(encodeId(0xb777, random(900)), encodeId(0xc0de)));
  assertEquals((await connection.ask("HELO")).verb, "OLEH");
  await connection.shake(server.node.certificate.dhKey);
  await connection.send(["HELO"]);
  assertEquals((await connection.next())!.verb, "OLEH");
  await connection.send(["ABOUT"], 1);
  const about = (await connection.next())!;
  assertEquals(about.verb, "ABOUT-IS");
  assertEquals(text(about, "ZONE"), "test");
  assertEquals(text(about, "REGISTRATION"), "open");
  assertEquals(need<number>(about, "MAX-PACKET"), 65_536);
  await connection.close();
  assertEquals(server.failures, []);
});

Deno.test("S3.2: PREPARE answers for a name that nobody has, and always the same", async () => {
  await using server = await quickServer();
  const salts: string[] = [];
  for (const name of ["nobody@test", "nobody@test", "nobody.else@test"]) {
    const { connection } = await connect(server);
    await connection.send([["USERNAME", ascii(name)], "PREPARE"]);
    const prepared = (await connection.next())!;
    assertEquals(prepared.verb, "PREPARED");
    assertEquals(need<number>(prepared, "KDF-MEMORY"), 65_536);
    assertEquals(need<number>(prepared, "KDF-PASSES"), 3);
    salts.push(need<Octets>(prepared, "KDF-SALT").toHex());
    await connection.close();
  }
  assertEquals(salts[0], salts[1]);
  assert(salts[0] !== salts[2]);
});

Deno.test("S0.4 S0.5 S1.3 S1.4 S1.5 S2.4 S2.6: a client of the text registers, logs in by key, and asks who it is", async () => {
  await using server = await quickServer();
  const bot = await NaivePerson.make("bot@test");
  const { connection, node } = await connect(server);
  const registered = await bot.register(connection, node);
  assertEquals(registered.verb, "REGISTERED");
  const usrKey = need<Octets>(registered, "USR-KEY");

  await bot.login(connection, usrKey);
  const answers = await bot.submit(connection, "WHO-AM-I", "WHO-AM-I");
  assertEquals((answers as NaiveMessage[]).length, 2);
  for (const answer of answers as NaiveMessage[]) {
    assertEquals(answer.verb, "YOU-ARE");
    assertEquals(text(answer, "USERNAME"), "bot@test");
    assertEquals(need<Octets>(answer, "CERTIFICATE"), bot.certificate);
    assert(need<bigint>(answer, "CREATED-AT") > 1_600_000_000_000n);
  }
  await connection.send(["HELO"]);
  assertEquals((await connection.next())!.verb, "OLEH");
  await connection.close();
  assertEquals(server.failures, []);
});

Deno.test("S0.5: REGISTER asked again gives the same key; for other keys the name is taken", async () => {
  await using server = await quickServer();
  const bot = await NaivePerson.make("bot@test");
  const other = await NaivePerson.make("bot@test");
  const { connection, node } = await connect(server);
  const [first, second] = [
    await bot.register(connection, node),
    await bot.register(connection, node),
  ];
  assertEquals(
    need<Octets>(second, "USR-KEY"),
    need<Octets>(first, "USR-KEY"),
  );
  const refused = await other.register(connection, node);
  assertEquals([refused.verb, text(refused, "REASON")], ["KO", "name-taken"]);
  await connection.close();
});

Deno.test("S2.3 S2.5 S3.2 S3.3: a client of the text registers with a passphrase and logs in where it has no keys", async () => {
  await using server = await quickServer();
  const alice = await NaivePerson.make("alice@test");
  const first = await connect(server);
  const registered = await alice.register(
    first.connection,
    first.node,
    "correct horse",
  );
  assertEquals(registered.verb, "REGISTERED");
  await first.connection.close();

  const { connection, node } = await connect(server);
  await assertRejects(
    () => loginByPassphrase(connection, node, "alice@test", "wrong horse"),
    Error,
    "KO",
  );
  const unlocked = await loginByPassphrase(
    connection,
    node,
    "alice@test",
    "correct horse",
  );
  assertEquals(unlocked.certificate, alice.certificate);
  assertEquals(unlocked.seed, alice.keys.signing.secret);
  const you = await alice.ask(connection, "WHO-AM-I");
  assertEquals(text(you, "USERNAME"), "alice@test");
  assert(connection.longest <= 700, `a record of ${connection.longest}`);
  await connection.close();
  assertEquals(server.failures, []);
});

Deno.test("S0.8 S1.4: altered data are refused as such and taken when they come again; a false signature is refused", async () => {
  await using server = await quickServer();
  const bot = await NaivePerson.make("bot@test");
  const { connection, node } = await connect(server);
  const { values } = await bot.register(connection, node);
  await bot.login(connection, values.get("USR-KEY")![0] as Octets);
  const { secret } = bot.keys.signing;
  const altered = await connection.submit(
    "bot@test",
    secret,
    ["WHO-AM-I"],
    true,
  ) as NaiveMessage;
  assertEquals([altered.verb, text(altered, "REASON")], ["KO", "checksum"]);
  assertEquals((await bot.ask(connection, "WHO-AM-I")).verb, "YOU-ARE");
  for (
    const [name, seed] of [["bot@test", random(32)], [
      "bob@test",
      secret,
    ]] as const
  ) {
    const forged = await connection.submit(name, seed, ["WHO-AM-I"]);
    assertEquals(text(forged as NaiveMessage, "REASON"), "signature");
  }
  await connection.close();
  assertEquals(server.failures, []);
});

Deno.test("S2.8: a command of a later version is refused in its place, and the others are answered", async () => {
  await using server = await quickServer();
  const bot = await NaivePerson.make("bot@test");
  const { connection, node } = await connect(server);
  const { values } = await bot.register(connection, node);
  await bot.login(connection, values.get("USR-KEY")![0] as Octets);
  const answers = await connection.submitBytes(
    "bot@test",
    bot.keys.signing.secret,
    join(
      encodeId(0x7020),
      encodeId(0x8fee, ascii("?")),
      encodeId(0xdead),
      encodeId(0x7020),
    ),
  );
  assertEquals((answers as NaiveMessage[]).map(({ verb }) => verb), [
    "YOU-ARE",
    "DENIED",
    "YOU-ARE",
  ]);
  assertEquals(
    text((answers as NaiveMessage[])[1]!, "REASON"),
    "unknown-command",
  );
  await connection.close();
});

Deno.test("S2.7: whoever lacks the certificate's key, or has another USR key, is not understood any more", async () => {
  await using server = await testServer();
  const [bot, other] = [
    await NaivePerson.make("bot@test"),
    await NaivePerson.make("other@test"),
  ];
  const first = await connect(server);
  const mine = await bot.register(first.connection, first.node);
  const theirs = await other.register(first.connection, first.node);
  await first.connection.close();
  for (
    const [person, key] of [
      [bot, need<Octets>(theirs, "USR-KEY")],
      [await NaivePerson.make("bot@test"), need<Octets>(mine, "USR-KEY")],
    ] as const
  ) {
    const { connection } = await connect(server);
    try {
      await assertRejects(async () => {
        await person.login(connection, key);
        await person.submit(connection, "WHO-AM-I");
      });
    } finally {
      connection.drop();
    }
  }
});
