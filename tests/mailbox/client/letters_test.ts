import { assertEquals } from "@std/assert";
import { mailboxServer } from "../raw_mailbox.ts";
import { Machine } from "./machine.ts";

Deno.test("S0.6 S3.4: two people exchange letters, live and after being away", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  const first = await alice.mailbox.send("bob@test", "hello");
  assertEquals(await bob.texts(1), ["hello"]);
  await alice.reached(first, "delivered");
  await bob.mailbox.markRead("alice@test");
  await alice.reached(first, "read");
  await bob.mailbox.send("alice@test", "hello yourself");
  assertEquals(await alice.texts(1), ["hello yourself"]);

  await bob.disconnect();
  const second = await alice.mailbox.send("bob@test", "are you there?");
  await alice.reached(second, "stored");
  await bob.connect();
  assertEquals(await bob.texts(2), ["hello", "are you there?"]);
  await alice.reached(second, "delivered");
  assertEquals(server.failures, []);
});

Deno.test("a long text arrives whole, and a burst arrives in order", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  const long = "ä€😀".repeat(4_000);
  await alice.mailbox.send("bob@test", long);
  const numbers = Array.from({ length: 50 }, (_, i) => String(i));
  await Promise.all(numbers.map((n) => alice.mailbox.send("bob@test", n)));
  assertEquals(await bob.texts(51), [long, ...numbers]);
});

Deno.test("both sides begin at once and go on in one session", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  await bob.disconnect();
  await alice.mailbox.send("bob@test", "from alice");
  await alice.disconnect();
  const toAlice = await bob.mailbox.send("alice@test", "from bob");
  await bob.connect();
  await alice.connect();
  assertEquals(await bob.texts(1), ["from alice"]);
  assertEquals(await alice.texts(1), ["from bob"]);
  await bob.reached(toAlice, "delivered");
});

Deno.test("a text that nobody fetched in time is marked as failed, and a late receipt still counts", async () => {
  await using server = await mailboxServer({ limits: { retention: 0 } });
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await bob.disconnect();
  await alice.connect();
  const number = await alice.mailbox.send("bob@test", "hello");
  await alice.reached(number, "stored");
  await alice.disconnect();
  await alice.connect();
  await alice.reached(number, "failed");
  await bob.connect();
  await alice.reached(number, "delivered");
});
