import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccountError, loginByKey } from "../../lib/account/mod.ts";
import type { ClientSession } from "../../lib/account/mod.ts";
import {
  COUNTER,
  DATA,
  DATA_LENGTH,
  KO,
  OK,
  REASON,
  SIGNATURE,
  SUBMIT,
  USERNAME,
  VERIFICATION_SHA256,
} from "../../lib/account/commands.ts";
import { signedBytes, writeData } from "../../lib/account/submission.ts";
import {
  ChannelError,
  CommandWriter,
  concat,
  fromUtf8,
  HELO,
  randomBytes,
  sha256,
  sign,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../lib/protocol/mod.ts";
import type { TestServer } from "../support/server.ts";
import {
  BLOB,
  echo,
  EchoService,
  MISREAD,
  NUMBER,
  STUMBLE,
} from "./echo_service.ts";
import { enrol, enter, quickServer, sessionOn, whoAmI } from "./people.ts";
import type { Member } from "./people.ts";
import { tap } from "./tapped_link.ts";
import type { TappedLink } from "./tapped_link.ts";

/** A tapped link on which `member` has logged in. */
async function loggedIn(
  server: TestServer,
  member: Member,
): Promise<TappedLink> {
  const { link } = await tap(server);
  await loginByKey(link, member.keyring, member.usrKey);
  return link;
}

/** A SUBMIT of `plaintext`, as it should be, except for what is given otherwise. */
async function submission(
  { keyring }: Member,
  channelHash: Bytes,
  plaintext: Bytes,
  parts: { counter?: bigint; username?: string; signature?: Bytes } = {},
): Promise<Bytes> {
  const { counter = 0n, username = keyring.certificate.address } = parts;
  const name = utf8(username);
  const signature = parts.signature ?? await sign(
    keyring.signing.privateKey,
    signedBytes(channelHash, counter, name, plaintext),
  );
  const writer = new CommandWriter().set(USERNAME, name)
    .set(COUNTER, counter).set(SIGNATURE, signature);
  return writeData(writer, plaintext, await sha256(plaintext)).verb(SUBMIT)
    .done();
}

/** The verb that answers, and why if it is KO. */
function verdict(answer: Message | null): string {
  return answer?.verb === KO
    ? `KO ${fromUtf8(answer.need(REASON))}`
    : `${answer?.verb.name}`;
}

Deno.test("S0.7 S1.4: every submission carries the username, a counter, a signature and a checksum", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const member = await enrol(server, "alice@test");
  const link = await loggedIn(server, member);
  const session = sessionOn(link, member.keyring);
  for (let i = 0; i < 3; i++) await session.request(echo(i));
  await session.close();
  const submissions = link.sent.filter(({ verb }) => verb === SUBMIT);
  assertEquals(submissions.length, 3);
  for (const [i, message] of submissions.entries()) {
    assertEquals(fromUtf8(message.need(USERNAME)), "alice@test");
    assertEquals(message.need(COUNTER), BigInt(i));
    const plaintext = message.need(DATA);
    assertEquals(message.need(DATA_LENGTH), plaintext.length);
    assertEquals(message.need(VERIFICATION_SHA256), await sha256(plaintext));
  }
  assertEquals(
    [...echoes.sessions].map(({ address }) => address),
    ["alice@test"],
  );
});

Deno.test("S1.4: a submission recorded in one connection is refused in another", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const member = await enrol(server, "alice@test");
  const first = await loggedIn(server, member);
  const recorded = await submission(member, first.hash, echo(7));
  await first.send(recorded);
  assertEquals(verdict(await first.next()), "OK");
  assertEquals(echoes.numbers, [7]);

  const second = await loggedIn(server, member);
  await second.send(recorded);
  assertEquals(verdict(await second.next()), "KO signature");
  // The connection goes on, and a submission of its own is taken.
  await second.send(
    await submission(member, second.hash, echo(8), { counter: 1n }),
  );
  assertEquals(verdict(await second.next()), "OK");
  assertEquals(echoes.numbers, [7, 8]);
  await Promise.all([first.close(), second.close()]);
  assertEquals(server.failures, []);
});

Deno.test("S0.7 S1.4: the signature covers the counter, the name and every byte", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const alice = await enrol(server, "alice@test");
  const bob = await enrol(server, "bob@test");
  const link = await loggedIn(server, alice);
  const { hash } = link;
  let counter = 10n;
  const signatureOf = (who: Member, number: bigint, text: Bytes) =>
    sign(
      who.keyring.signing.privateKey,
      signedBytes(hash, number, utf8("alice@test"), text),
    );
  const cases = {
    "another counter": await signatureOf(alice, 99n, echo(1)),
    "other bytes": await signatureOf(alice, counter, echo(2)),
    "another person": await signatureOf(bob, counter, echo(1)),
    "none": new Uint8Array(64),
  };
  for (const [name, signature] of Object.entries(cases)) {
    await link.send(
      await submission(alice, hash, echo(1), { counter, signature }),
    );
    assertEquals(verdict(await link.next()), "KO signature", name);
    counter++;
  }
  // Her own signature under another's name.
  const name = new CommandWriter().set(USERNAME, utf8("bob@test")).done();
  const own = await submission(alice, hash, echo(1), { counter });
  await link.send(concat(own.slice(0, -2), name, own.slice(-2)));
  assertEquals(verdict(await link.next()), "KO signature");
  counter++;
  // Bob's submission, in all order, in the connection where Alice has logged in.
  await link.send(await submission(bob, hash, echo(1), { counter }));
  assertEquals(verdict(await link.next()), "KO signature");
  assertEquals(echoes.numbers, []);
  await link.close();
});

Deno.test("S1.5: a CLOSE is told from a cut connection, by either side", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const member = await enrol(server, "alice@test");
  const open = async (): Promise<ClientSession> => {
    const session = await enter(server, member);
    await session.request(echo(1));
    return session;
  };

  const closedByServer = await open();
  await server.accounts.closeSessions();
  assertEquals(await closedByServer.ended, undefined);

  const closedHere = await open();
  await closedHere.close();
  assertEquals(await closedHere.ended, undefined);
  await echoes.untilGone(2);
  assertEquals(server.failures, [], "nothing was cut for the server either");

  const cutByServer = await open();
  [...echoes.sessions].at(-1)!.abort();
  assertEquals(codeOf(await cutByServer.ended), "ERR_CHANNEL_CUT");

  const cutHere = await open();
  server.failures.length = 0;
  cutHere.abort();
  assert(await cutHere.ended instanceof ChannelError);
  await echoes.untilGone(4);
  assertEquals(server.failures.map(codeOf), ["ERR_CHANNEL_CUT"]);
});

Deno.test("S2.6: data of many pieces in both directions", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const member = await enrol(server, "alice@test");
  const link = await loggedIn(server, member);
  const session = sessionOn(link, member.keyring);
  for (const length of [0, 1, 49_142, 49_144, 49_145, 200_000]) {
    const blob = randomBytes(length);
    const answer = await session.request(echo(undefined, blob));
    assertEquals(answer.need(BLOB), blob);
  }
  const last = link.sent.at(-1)!;
  assertEquals(last.all(DATA).length, 5);
  const answered = link.received.at(-1)!;
  assertEquals([answered.verb, answered.all(DATA).length], [OK, 5]);
  await session.close();
  assertEquals(server.failures, []);
});

Deno.test("S2.6: more than 256 KiB is refused here, and by the server as well", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const member = await enrol(server, "alice@test");
  const link = await loggedIn(server, member);
  const session = sessionOn(link, member.keyring);
  const error = await assertRejects(
    () => session.request(new Uint8Array(262_145)),
    AccountError,
  );
  assertEquals(error.reason, "too-large");
  assertEquals(await whoAmI(session), "alice@test");
  await session.close();

  const raw = await loggedIn(server, member);
  const plaintext = concat(...Array.from({ length: 43_691 }, () => echo(1)));
  assert(plaintext.length > 262_144 && plaintext.length < 262_144 + 90_000);
  await raw.send(
    await submission(member, raw.hash, plaintext.subarray(0, 262_145)),
  );
  assertEquals(verdict(await raw.next()), "KO too-large");
  assertEquals(echoes.numbers, []);
  await raw.close();
});

Deno.test("S2.8: unknown commands are skipped, and everything around them goes on", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const member = await enrol(server, "alice@test");
  const { link } = await tap(server);
  // Parameters of every shape, and verbs, that nobody has named yet.
  const unknown = new Uint8Array([
    ...[0x0f, 0x01, 1],
    ...[0x1f, 0x01, 1, 2],
    ...[0x2f, 0x01, 1, 2, 3, 4],
    ...[0x4f, 0x01, ...new Uint8Array(16)],
    ...[0x6f, 0x01, ...new Uint8Array(64)],
    ...[0x8f, 0x01, 3, 1, 2, 3],
    ...[0xaf, 0x01, 0, 0, 0, 2, 1, 2],
    ...[0x7f, 0x01],
    ...[0xc0, 0x01],
  ]);
  link.outgoing = (commands) => concat(unknown, commands);
  await loginByKey(link, member.keyring, member.usrKey);
  const session = sessionOn(link, member.keyring);
  await session.ping();
  const inside = await Promise.all([
    session.request(echo(1)),
    session.request(concat(unknown.subarray(0, -4), echo(2))),
    session.request(echo(3)),
  ]);
  assertEquals(inside.map((answer) => answer.get(NUMBER)), [1, 2, 3]);
  await session.close();
  assertEquals(server.failures, []);
});

Deno.test("S2.8: a verb of a later version is refused by name, and its neighbours are answered", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const session = await enter(server, await enrol(server, "alice@test"));
  const outcomes = await Promise.allSettled([
    session.request(echo(1)),
    session.request(new Uint8Array([0x7f, 0x01])),
    session.request(echo(2)),
    // Known, but nothing that could be asked for.
    session.request(new CommandWriter().verb(HELO).done()),
  ]);
  assertEquals(outcomes.map(summary), [
    "1",
    "unknown-command",
    "2",
    "unknown-command",
  ]);
  await session.close();
});

Deno.test("session: a service that fails does not take the session with it", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const session = await enter(server, await enrol(server, "alice@test"));
  const verbs = [STUMBLE, MISREAD].map((verb) =>
    session.request(new CommandWriter().verb(verb).done())
  );
  const outcomes = await Promise.allSettled([
    ...verbs,
    session.request(echo(1)),
  ]);
  assertEquals(outcomes.map(summary), ["internal", "malformed", "1"]);
  // The operator learns of the first; the second is the client's own doing.
  assertEquals(server.failures.map(String), ["Error: Cannot go on: stumbled"]);
  await session.close();
});

Deno.test("session: malformed submissions are refused one by one and hold nothing up", async () => {
  const echoes = new EchoService();
  await using server = await quickServer(echoes.installed);
  const member = await enrol(server, "alice@test");
  const link = await loggedIn(server, member);
  // More of them than are worked on at once.
  for (let counter = 0n; counter < 40n; counter++) {
    await link.send(
      new CommandWriter().set(COUNTER, counter).verb(SUBMIT).done(),
    );
  }
  for (let i = 0; i < 40; i++) {
    assertEquals(verdict(await link.next()), "KO malformed");
  }
  const dangling = echo(1).slice(0, -2);
  await link.send(
    await submission(member, link.hash, dangling, { counter: 40n }),
  );
  assertEquals(verdict(await link.next()), "KO malformed");
  await link.send(
    await submission(member, link.hash, echo(5), { counter: 41n }),
  );
  assertEquals(verdict(await link.next()), "OK");
  await link.close();
  await echoes.untilGone(1);
  assertEquals(server.failures, []);
});

function codeOf(error: unknown): string {
  return (error as { code: string }).code;
}

function summary(outcome: PromiseSettledResult<Message>): string {
  if (outcome.status === "fulfilled") return `${outcome.value.get(NUMBER)}`;
  return (outcome.reason as AccountError).reason;
}
