import { assert, assertEquals, assertRejects } from "@std/assert";
import { loginByKey, loginByPassphrase } from "../../lib/account/mod.ts";
import {
  CERTIFICATE_ID,
  LOGGED_IN,
  LOGIN,
  MAX_PACKET,
  SESSION_KEY,
  SESSION_SHARE,
} from "../../lib/account/commands.ts";
import {
  ChannelError,
  CommandWriter,
  MalformedError,
  randomBytes,
} from "../../lib/protocol/mod.ts";
import { testNodeKeyring } from "../support/keyrings.ts";
import { scriptedServer } from "../support/scripted_server.ts";
import { BLOB, echo, EchoService } from "./echo_service.ts";
import { enrol, enrolCheaply, quickServer, sessionOn } from "./people.ts";
import { recordLengths, tap } from "./tapped_link.ts";

const LARGEST = 65_536;

Deno.test("S2.5: nobody seals more at a time than either side's MAX-PACKET, in either direction", async () => {
  // The client's, the server's, what holds.
  const table = [
    [512, LARGEST, 512],
    [LARGEST, 512, 512],
    [4_096, 700, 700],
    [700, 4_096, 700],
    [512, 512, 512],
    [LARGEST, LARGEST, LARGEST],
  ] as const;
  for (const [own, theirs, limit] of table) {
    const echoes = new EchoService();
    await using server = await quickServer({
      ...echoes.installed,
      maxPacket: theirs,
    });
    const { keyring, usrKey } = await enrol(server, "alice@test");
    const { link, stream } = await tap(server);
    await loginByKey(link, keyring, usrKey, own);
    assertEquals(link.sent[0]!.get(MAX_PACKET), own);
    assertEquals(link.received[0]!.get(MAX_PACKET), theirs);
    const session = sessionOn(link, keyring);
    const blob = randomBytes(150_000);
    const answer = await session.request(echo(undefined, blob));
    assertEquals(answer.need(BLOB), blob);
    await session.close();
    // LOGIN is the first record of the client's, and bounded by what it asks for itself.
    for (const bytes of [stream.written, stream.seen]) {
      const lengths = recordLengths(bytes);
      const bounded = bytes === stream.seen ? lengths : lengths.slice(1);
      assert(bounded.length >= 150_000 / limit);
      assertEquals(Math.max(...bounded), limit, `${own} and ${theirs}`);
      assert(lengths[0]! <= own);
    }
    assertEquals(server.failures, []);
  }
});

Deno.test("S2.3 S2.5: the wrapped keys, too, come in pieces that small", async () => {
  await using server = await quickServer();
  await enrolCheaply(server, "alice@test", "correct horse");
  const { link, stream } = await tap(server);
  const { keyring } = await loginByPassphrase(
    link,
    server.node.certificate,
    "alice@test",
    "correct horse",
    512,
  );
  await sessionOn(link, keyring).close();
  const lengths = recordLengths(stream.seen);
  assertEquals(Math.max(...lengths), 512);
  assert(lengths.length >= 8, "certificate and keys are longer than 3.5 KiB");
  assert(Math.max(...recordLengths(stream.written)) <= 512);
});

Deno.test("S2.5: without MAX-PACKET in LOGIN the server's own holds", async () => {
  await using server = await quickServer({ maxPacket: 1_024 });
  const { keyring } = await enrol(server, "alice@test");
  const link = await server.connect();
  const login = new CommandWriter().set(CERTIFICATE_ID, keyring.certificate.id)
    .set(SESSION_SHARE, randomBytes(384)).verb(LOGIN).done();
  await link.send(login);
  const answer = await link.next();
  assertEquals([answer?.verb, answer?.get(MAX_PACKET)], [LOGGED_IN, 1_024]);
  // Records above it are refused from then on.
  await link.send(randomBytes(1_025));
  await assertRejects(() => link.next(), ChannelError);
  assertEquals(
    server.failures.map((error) => (error as ChannelError).code),
    ["ERR_CHANNEL_VIOLATION"],
  );
  link.abort();
});

Deno.test("S2.5: values outside 512 to 65,536 are refused: here before anything is sent", async () => {
  await using server = await quickServer();
  const { keyring, usrKey } = await enrol(server, "alice@test");
  for (const own of [0, 511, 65_537, -1]) {
    const { link } = await tap(server);
    await assertRejects(
      () => loginByKey(link, keyring, usrKey, own),
      RangeError,
    );
    await assertRejects(
      () =>
        loginByPassphrase(link, server.node.certificate, "a@test", "x", own),
      RangeError,
    );
    assertEquals(link.sent, []);
    await link.close();
  }
});

Deno.test("S2.5: and by the server from a client, and by the client from a server", async () => {
  await using server = await quickServer();
  const { keyring, usrKey } = await enrol(server, "alice@test");
  for (const value of [0, 511, 65_537, 0xffffffff]) {
    const link = await server.connect();
    await link.send(
      new CommandWriter().set(CERTIFICATE_ID, keyring.certificate.id)
        .set(MAX_PACKET, value).set(SESSION_SHARE, randomBytes(384))
        .verb(LOGIN).done(),
    );
    await assertRejects(() => link.next(), ChannelError);
    assert(server.failures.pop() instanceof MalformedError);

    await using liar = scriptedServer(await testNodeKeyring(), async (link) => {
      const login = (await link.next())!;
      // The USR pair is that of the account here, and the label the same: it opens there, too.
      const sealed = login.need(SESSION_SHARE);
      await link.send(
        new CommandWriter().set(SESSION_KEY, sealed)
          .set(MAX_PACKET, value).verb(LOGGED_IN).done(),
      );
      await link.next().catch(() => {});
    });
    const lied = await liar.connect();
    await assertRejects(
      () => loginByKey(lied, keyring, usrKey),
      MalformedError,
      "MAX-PACKET",
    );
    lied.abort();
  }
});
