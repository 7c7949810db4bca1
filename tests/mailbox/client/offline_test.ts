import { assertEquals, assertRejects } from "@std/assert";
import { TEXT_LIMIT } from "../../../lib/mailbox/mod.ts";
import { enrol } from "../../account/people.ts";
import { mailboxServer, pause } from "../raw_mailbox.ts";
import { Machine } from "./machine.ts";

Deno.test("S0.6: what is written without a connection leaves with the next one, in order, also after a restart", async () => {
  const directory = await Deno.makeTempDir({ prefix: "sotto-test-" });
  try {
    const vaultPath = `${directory}/vault.db`;
    await using server = await mailboxServer();
    await using bob = await Machine.enrol(server, "bob@test");
    await using carol = await Machine.enrol(server, "carol@test");
    await bob.connect();
    await carol.connect();
    const member = await enrol(server, "alice@test");
    {
      await using alice = await Machine.of(server, member, { vaultPath });
      await alice.connect();
      await alice.mailbox.send("bob@test", "known");
      await bob.texts(1);
    }
    {
      await using alice = await Machine.of(server, member, { vaultPath });
      await alice.mailbox.send("bob@test", "to somebody known");
      await alice.mailbox.send("carol@test", "to somebody never met");
      await alice.mailbox.send("nobody@test", "to nobody");
      const number = await alice.mailbox.send("bob@test", "second");
      assertEquals(
        (await alice.mailbox.book.entry("bob@test", number))?.state,
        "queued",
      );
    }
    await using alice = await Machine.of(server, member, { vaultPath });
    await alice.connect();
    assertEquals(await bob.texts(3), ["known", "to somebody known", "second"]);
    assertEquals(await carol.texts(1), ["to somebody never met"]);
    const failed = await alice.reached(1, "failed");
    assertEquals(failed.reason, "there is no such person");
    assertEquals(failed.text, "to nobody");
    await alice.reached(3, "delivered");
    await alice.reconnect();
    await pause(50);
    assertEquals(bob.count("text"), 3);
    assertEquals(server.failures, []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("S0.6: what is written while a connection comes up stays behind what was written before", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  const texts = ["first"];
  await alice.mailbox.send("bob@test", "first");
  await bob.texts(1);
  for (let round = 0; round < 2; round++) {
    await alice.disconnect();
    const write = async (text: string) => {
      texts.push(text);
      await alice.mailbox.send("bob@test", text);
    };
    for (let i = 0; i < 200; i++) await write(`${round}: ${i}`);
    let connected = false;
    const connecting = alice.connect().then(() => connected = true);
    let more = 20;
    for (let i = 200; more > 0; i++) {
      await write(`${round}: ${i}`);
      if (connected) more--;
    }
    await connecting;
  }
  assertEquals(await bob.texts(texts.length), texts);
  assertEquals(bob.count("gap"), 0);
});

Deno.test("S3.4: somebody who has an account and no device yet gets what was written when they have one", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await alice.connect();
  const member = await enrol(server, "bob@test");
  const number = await alice.mailbox.send("bob@test", "early");
  await alice.mailbox.settled();
  const entry = await alice.mailbox.book.entry("bob@test", number);
  assertEquals(entry?.state, "queued");
  assertEquals(
    entry?.reason,
    "Cannot write yet: the person has not logged in anywhere",
  );
  await using bob = await Machine.of(server, member);
  await bob.connect();
  await alice.reconnect();
  assertEquals(await bob.texts(1), ["early"]);
  await alice.reached(number, "delivered");
});

Deno.test("S0.6: a full mailbox is told, and what waits for it leaves when there is room", async () => {
  await using server = await mailboxServer({
    limits: { quota: { letters: 3, bytes: 1_000_000 } },
  });
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await bob.disconnect();
  await alice.connect();
  const texts = ["1", "2", "3", "4", "5"];
  for (const text of texts) await alice.mailbox.send("bob@test", text);
  await alice.mailbox.settled();
  const history = await alice.history("bob@test");
  assertEquals(
    history.map(({ state, reason }) => [state, reason]),
    [
      ["stored", ""],
      ["stored", ""],
      ["stored", ""],
      ["queued", "the mailbox is full"],
      ["queued", "the mailbox is full"],
    ],
  );
  await bob.connect();
  await bob.texts(3);
  await alice.reached(3, "delivered");
  await alice.reconnect();
  assertEquals(await bob.texts(5), texts);
  assertEquals((await alice.reached(5, "delivered")).reason, "");
});

Deno.test("S0.6: what a full mailbox refused leaves by itself when its owner has made room", async () => {
  await using server = await mailboxServer({
    limits: { quota: { letters: 2, bytes: 1_000_000 } },
  });
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await bob.disconnect();
  await alice.connect();
  for (const text of ["1", "2", "3"]) {
    await alice.mailbox.send("bob@test", text);
  }
  await alice.mailbox.settled();
  await bob.connect();
  assertEquals(await bob.texts(3), ["1", "2", "3"]);
});

Deno.test("a text of the greatest length is stored, delivered and read as a whole", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  const text = "ü".repeat(TEXT_LIMIT / 2);
  const number = await alice.mailbox.send("bob@test", text);
  await alice.mailbox.settled();
  assertEquals((await alice.vault.list("outbox")).length, 0);
  assertEquals(
    (await alice.mailbox.book.entry("bob@test", number))?.unposted,
    0,
  );
  assertEquals(await bob.texts(1), [text]);
  await alice.reached(number, "delivered");
  await bob.mailbox.markRead("alice@test");
  await alice.reached(number, "read");
  await assertRejects(
    () => alice.mailbox.send("bob@test", `${text}x`),
    RangeError,
  );
});

Deno.test("what is read without a connection is told with the next one", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  const number = await alice.mailbox.send("bob@test", "hello");
  await bob.texts(1);
  await alice.reached(number, "delivered");
  await bob.disconnect();
  await bob.mailbox.markRead("alice@test");
  await bob.mailbox.markRead("alice@test");
  assertEquals((await bob.history("alice@test"))[0]?.state, "shown");
  assertEquals((await bob.vault.list("outbox")).length, 1);
  await bob.connect();
  await alice.reached(number, "read");
});

Deno.test("what came behind the last text that was shown stays unread, and nobody is told otherwise", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  const numbers: number[] = [];
  for (const text of ["one", "two", "three"]) {
    numbers.push(await alice.mailbox.send("bob@test", text));
  }
  await bob.texts(3);
  const states = async () =>
    (await bob.history("alice@test")).map(({ state }) => state);
  const [first, second] = await bob.history("alice@test");
  await bob.mailbox.markRead("alice@test", first!.number - 1);
  assertEquals(await states(), ["received", "received", "received"]);
  await bob.mailbox.markRead("alice@test", second!.number);
  assertEquals(await states(), ["shown", "shown", "received"]);
  await alice.reached(numbers[1]!, "read");
  const third = await alice.mailbox.book.entry("bob@test", numbers[2]!);
  assertEquals(third?.state === "read", false);
  await bob.mailbox.markRead("alice@test");
  assertEquals(await states(), ["shown", "shown", "shown"]);
  await alice.reached(numbers[2]!, "read");
});

Deno.test("a connection that is lost while letters are on their way loses none and repeats none", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  const texts = Array.from({ length: 60 }, (_, i) => `text ${i}`);
  for (const [i, text] of texts.entries()) {
    const sending = alice.mailbox.send("bob@test", text);
    if (i % 20 === 10) await alice.lose();
    await sending;
    if (i % 20 === 14) await alice.connect();
    if (i % 15 === 7) await bob.lose();
    if (i % 15 === 9) await bob.connect();
  }
  await alice.reached(60, "delivered");
  assertEquals((await bob.received("alice@test")).toSorted(), texts.toSorted());
  assertEquals(bob.count("text"), texts.length);
});
