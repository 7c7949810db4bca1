import { assert, assertEquals, assertRejects } from "@std/assert";
import { MalformedError } from "../../../lib/protocol/mod.ts";
import { freshKeyring } from "../../support/keyrings.ts";
import { mailboxServer, pause } from "../raw_mailbox.ts";
import { Machine } from "./machine.ts";

Deno.test("somebody who was removed can be written to again; what was said stays", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  await alice.mailbox.send("bob@test", "one");
  await bob.texts(1);
  await bob.mailbox.send("alice@test", "two");
  await alice.texts(1);
  assert(await alice.mailbox.book.remove("bob@test"));
  assert(!await alice.mailbox.book.remove("bob@test"));
  assertEquals(await alice.mailbox.book.contacts(), []);

  const number = await alice.mailbox.send("bob@test", "three");
  await alice.reached(number, "delivered");
  assertEquals(await bob.texts(2), ["one", "three"]);
  await alice.mailbox.book.remove("bob@test");
  await bob.mailbox.send("alice@test", "four");
  assertEquals(await alice.texts(2), ["two", "four"]);
  assertEquals(
    (await alice.history("bob@test")).map(({ text }) => text),
    ["one", "two", "three", "four"],
  );
  assertEquals(alice.count("new-contact"), 3);
});

Deno.test("a certificate is trusted on first use, for its own address, and compared from then on", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  const { book } = alice.mailbox;
  const bob = (await freshKeyring("bob@test")).certificate;
  const other = (await freshKeyring("bob@test")).certificate;
  await assertRejects(() => book.pin("carol@test", bob.bytes), MalformedError);
  const broken = bob.bytes.slice();
  broken[broken.length - 1]! ^= 1;
  await assertRejects(() => book.pin("bob@test", broken), MalformedError);
  assertEquals(await book.contact("bob@test"), undefined);

  assertEquals(await book.pin("bob@test", bob.bytes), "new");
  assertEquals(await book.pin("bob@test", bob.bytes), "known");
  assertEquals(await book.pin("bob@test", other.bytes), "changed");
  assertEquals((await book.certificate("bob@test"))?.id, bob.id);
  assertEquals(await book.pin("bob@test", bob.bytes), "known");
  assert(await book.accept("bob@test"));
  assertEquals((await book.certificate("bob@test"))?.id, other.id);
  assertEquals(await book.pin("bob@test", bob.bytes), "changed");
  assert(!await book.verify("nobody@test", true));
  assert(!await book.accept("nobody@test"));
});

Deno.test("a text to oneself stays here and says why", async () => {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await alice.connect();
  const number = await alice.mailbox.send("alice@test", "note");
  await pause(20);
  const entry = await alice.mailbox.book.entry("alice@test", number);
  assertEquals(entry?.state, "queued");
  assertEquals(entry?.reason, "Cannot use a session: the peer is oneself");
});
