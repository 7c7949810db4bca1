import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AccountError,
  loginByKey,
  loginByPassphrase,
  register,
} from "../../lib/account/mod.ts";
import {
  CREDENTIALS,
  KO,
  LOGIN,
  REASON,
  RETRY_IN,
  USERNAME,
} from "../../lib/account/commands.ts";
import { sealCredentials } from "../../lib/account/credentials.ts";
import {
  CommandWriter,
  fromUtf8,
  randomBytes,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { CommandChannel } from "../../lib/protocol/mod.ts";
import { testKeyring } from "../support/keyrings.ts";
import type { TestServer } from "../support/server.ts";
import { enrolCheaply, quickServer, sessionOn, whoAmI } from "./people.ts";
import { sideDoor } from "./side_door.ts";

/** Guesses at a passphrase without taking the time to stretch it; the reason, and RETRY-IN. */
async function guess(
  server: TestServer,
  link: CommandChannel,
  address: string,
): Promise<string> {
  const credentials = await sealCredentials(
    server.node.certificate,
    link.hash,
    { auth: randomBytes(32), invite: new Uint8Array(0) },
  );
  await link.send(
    new CommandWriter().set(USERNAME, utf8(address))
      .set(CREDENTIALS, credentials).verb(LOGIN).done(),
  );
  const answer = (await link.next())!;
  assertEquals(answer.verb, KO);
  return `${fromUtf8(answer.need(REASON))} ${answer.get(RETRY_IN)}`;
}

/** A server whose clock stands still until it is moved. */
class Clock {
  now = 5_000_000;
  readonly read = () => this.now;
  pass(seconds: number): void {
    this.now += seconds * 1_000;
  }
}

Deno.test("S3.2: guessing is slowed, a known name like an unknown one, and the right passphrase works after the time said", async () => {
  const clock = new Clock();
  await using server = await quickServer({ now: clock.read });
  await enrolCheaply(server, "alice@test", "right words");
  const link = await server.connect();
  const course: Record<string, string[]> = { alice: [], nobody: [] };
  for (const [name, answers] of Object.entries(course)) {
    for (let i = 0; i < 8; i++) {
      answers.push(await guess(server, link, `${name}@test`));
    }
    clock.pass(2);
    answers.push(await guess(server, link, `${name}@test`));
    answers.push(await guess(server, link, `${name}@test`));
  }
  assertEquals(course.alice, [
    ...Array(6).fill("credentials 0"),
    "throttled 2",
    "throttled 2",
    "credentials 0",
    "throttled 4",
  ]);
  assertEquals(course.nobody, course.alice);

  const { certificate } = server.node;
  const right = () =>
    loginByPassphrase(link, certificate, "alice@test", "right words");
  clock.pass(1);
  const error = await assertRejects(right, AccountError);
  assertEquals([error.reason, error.retryIn], ["throttled", 1]);
  clock.pass(error.retryIn);
  const { keyring } = await right();
  const session = sessionOn(link, keyring);
  assertEquals(await whoAmI(session), "alice@test");
  await session.close();

  // The slate is clean.
  const again = await server.connect();
  assertEquals(await guess(server, again, "alice@test"), "credentials 0");
  await again.close();
});

Deno.test("S3.2: who guesses locks nobody out who comes from elsewhere, or by key", async () => {
  const clock = new Clock();
  await using server = await quickServer({ now: clock.read });
  const alice = await enrolCheaply(server, "alice@test", "right words");
  await using bad = sideDoor(server.accounts, server.node, { group: "bad" });
  await using good = sideDoor(server.accounts, server.node, { group: "good" });
  const thief = await bad.connect();
  while ((await guess(server, thief, "alice@test")).startsWith("credentials"));
  await thief.close();

  const { certificate } = server.node;
  const link = await good.connect();
  await loginByPassphrase(link, certificate, "alice@test", "right words");
  await link.close();
  // By key even from where the guessing goes on.
  const byKey = await bad.connect();
  await loginByKey(byKey, alice.keyring, alice.usrKey);
  const session = sessionOn(byKey, alice.keyring);
  assertEquals(await whoAmI(session), "alice@test");
  await session.close();
  assertEquals([...bad.failures, ...good.failures], []);
});

Deno.test("S3.2: guesses that are made all at once are no more than one after another", async () => {
  const clock = new Clock();
  await using server = await quickServer({ now: clock.read });
  await enrolCheaply(server, "alice@test", "right words");
  const links = await Promise.all(
    Array.from({ length: 30 }, () => server.connect()),
  );
  const answers = await Promise.all(
    links.map((link) => guess(server, link, "alice@test")),
  );
  const looked = answers.filter((answer) => answer === "credentials 0");
  assertEquals(looked.length, 6);
  await Promise.all(links.map((link) => link.close()));
});

Deno.test("S3.2: credentials that do not even open count as guesses", async () => {
  const clock = new Clock();
  await using server = await quickServer({ now: clock.read });
  const link = await server.connect();
  const reasons: string[] = [];
  for (let i = 0; i < 8; i++) {
    await link.send(
      new CommandWriter().set(USERNAME, utf8("alice@test"))
        .set(CREDENTIALS, randomBytes(384)).verb(LOGIN).done(),
    );
    reasons.push(fromUtf8((await link.next())!.need(REASON)));
  }
  assertEquals(reasons, [
    ...Array(6).fill("credentials"),
    "throttled",
    "throttled",
  ]);
  await link.close();
});

Deno.test("S0.3: registering, which costs the server a key pair, is bounded per address group", async () => {
  const clock = new Clock();
  await using server = await quickServer({
    now: clock.read,
    limits: { registrations: { perSecond: 0.1, burst: 2 } },
  });
  const { certificate } = server.node;
  await using other = sideDoor(server.accounts, server.node, {
    group: "other",
  });
  const attempt = async (
    door: { connect(): Promise<CommandChannel> },
    name: string,
  ) => {
    const link = await door.connect();
    try {
      await register(link, certificate, await testKeyring(`${name}@test`), {});
    } finally {
      await link.close();
    }
  };
  await attempt(server, "a");
  await attempt(server, "b");
  const error = await assertRejects(() => attempt(server, "c"), AccountError);
  assertEquals([error.reason, error.retryIn], ["throttled", 10]);
  await attempt(other, "c");
  clock.pass(10);
  await attempt(server, "d");
  assert(await server.store.accounts.byAddress("d@test") !== undefined);
});
