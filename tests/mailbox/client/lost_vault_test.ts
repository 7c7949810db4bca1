import { assertEquals } from "@std/assert";
import type { Vault } from "../../../lib/store/mod.ts";
import { mailboxServer, pause, refusal } from "../raw_mailbox.ts";
import type { MailboxServer } from "../raw_mailbox.ts";
import { Machine } from "./machine.ts";

interface Two {
  readonly server: MailboxServer;
  readonly alice: Machine;
  readonly bob: Machine;
}

/** Alice and Bob, both online, who have not written yet. */
async function withTwo(body: (two: Two) => Promise<void>): Promise<void> {
  await using server = await mailboxServer();
  await using alice = await Machine.enrol(server, "alice@test");
  await using bob = await Machine.enrol(server, "bob@test");
  await bob.connect();
  await alice.connect();
  await body({ server, alice, bob });
  assertEquals(server.failures, []);
}

/** Both have written, so that letters no longer open a session. */
async function converse({ alice, bob }: Two): Promise<void> {
  const toBob = await alice.mailbox.send("bob@test", "hello");
  await alice.reached(toBob, "delivered");
  const toAlice = await bob.mailbox.send("alice@test", "hello yourself");
  await bob.reached(toAlice, "delivered");
}

/** Bob's account on another machine, which has his keys and nothing else. */
async function newMachine({ server, bob }: Two): Promise<Machine> {
  return await Machine.of(server, bob.member);
}

/** Resolves when `address` has fetched, and is done with, all that waited. */
async function untilEmpty(
  server: MailboxServer,
  address: string,
): Promise<void> {
  while ((await server.store.letters.usage(address)).letters > 0) {
    await pause(5);
  }
}

/** Fails if a vault still holds letters that the server was never told of. */
async function assertNothingWaits(vault: Vault): Promise<void> {
  assertEquals((await vault.list("outbox")).length, 0);
}

Deno.test("S3.4: what the old machine never got arrives at the new one, once", async () => {
  await withTwo(async (two) => {
    const { alice, bob } = two;
    await converse(two);
    await bob.disconnect();
    const long = "a long one ".repeat(200);
    for (const text of ["one", long, "three"]) {
      await alice.mailbox.send("bob@test", text);
    }
    await alice.mailbox.settled();
    await using again = await newMachine(two);
    await again.connect();
    assertEquals(await again.texts(3), ["one", long, "three"]);
    for (const number of [3, 4, 5]) await alice.reached(number, "delivered");
    // From here on both write in one session.
    await again.mailbox.send("alice@test", "back again");
    assertEquals((await alice.texts(2))[1], "back again");
    await alice.mailbox.send("bob@test", "welcome");
    assertEquals((await again.texts(4))[3], "welcome");
    await again.reconnect();
    await pause(50);
    assertEquals(again.count("text"), 4);
    assertEquals(again.count("unreadable"), 0);
    await assertNothingWaits(alice.vault);
  });
});

Deno.test("S3.4: letters that open a session with the old machine arrive at the new one, too", async () => {
  await withTwo(async (two) => {
    const { alice, bob } = two;
    await bob.disconnect();
    // Prekeys of both machines have the same numbers.
    await alice.mailbox.send("bob@test", "one");
    await alice.mailbox.send("bob@test", "two");
    await alice.mailbox.settled();
    await using again = await newMachine(two);
    await again.connect();
    assertEquals((await again.texts(2)).toSorted(), ["one", "two"]);
    await alice.reached(1, "delivered");
    await alice.reached(2, "delivered");
    await pause(50);
    assertEquals(again.count("text"), 2);
  });
});

Deno.test("S3.4: a sender who is away when its letters are found unreadable seals them again when it is back", async () => {
  await withTwo(async (two) => {
    const { alice, bob } = two;
    await converse(two);
    await bob.disconnect();
    const number = await alice.mailbox.send("bob@test", "are you there?");
    await alice.disconnect();
    await using again = await newMachine(two);
    await again.connect();
    // It has written in a session of its own meanwhile.
    await again.mailbox.send("alice@test", "new machine");
    await untilEmpty(two.server, "bob@test");
    await again.disconnect();
    await alice.connect();
    assertEquals((await alice.texts(2))[1], "new machine");
    // What asks for it may come behind that.
    await untilEmpty(two.server, "alice@test");
    await alice.disconnect();
    await again.connect();
    assertEquals(await again.texts(1), ["are you there?"]);
    await alice.connect();
    await alice.reached(number, "delivered");
  });
});

Deno.test("S3.4: both have lost everything and write to each other", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    await converse(two);
    await alice.disconnect();
    await bob.disconnect();
    await using newAlice = await Machine.of(server, alice.member);
    await using newBob = await Machine.of(server, bob.member);
    await newAlice.connect();
    await newAlice.mailbox.send("bob@test", "from alice");
    await newAlice.disconnect();
    await newBob.connect();
    const number = await newBob.mailbox.send("alice@test", "from bob");
    await newAlice.connect();
    assertEquals(await newBob.texts(1), ["from alice"]);
    assertEquals(await newAlice.texts(1), ["from bob"]);
    await newBob.reached(number, "delivered");
    await newAlice.reached(1, "delivered");
    assertEquals(newAlice.count("unreadable") + newBob.count("unreadable"), 0);
  });
});

Deno.test("the old machine is told that the account has moved, and takes it back with nothing lost", async () => {
  await withTwo(async (two) => {
    const { alice, bob } = two;
    await converse(two);
    await using again = await newMachine(two);
    await again.connect();
    await bob.told("moved");
    await alice.mailbox.send("bob@test", "to the new one");
    assertEquals(await again.texts(1), ["to the new one"]);
    assertEquals(await refusal(bob.connect()), "moved");
    await bob.mailbox.takeOver();
    await bob.connect();
    await again.told("moved");
    await alice.mailbox.send("bob@test", "to the old one");
    assertEquals(await bob.texts(2), ["hello", "to the old one"]);
    await bob.mailbox.send("alice@test", "here I am");
    await alice.until((events) =>
      events.find((event) =>
        event.kind === "text" && event.entry.text === "here I am"
      )
    );
  });
});

Deno.test("somebody who is killed before it has asked again asks when it is back", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    await converse(two);
    await bob.disconnect();
    const number = await alice.mailbox.send("bob@test", "one");
    await alice.mailbox.settled();
    const again = await newMachine(two);
    // Its connection breaks when it would ask for Alice's prekeys.
    const { bundle } = server.store.prekeys;
    server.store.prekeys.bundle = (address) => {
      if (address === "alice@test") again.lose();
      return bundle.call(server.store.prekeys, address);
    };
    await again.connect();
    await pause(300);
    assertEquals(again.count("text"), 0);
    server.store.prekeys.bundle = bundle;
    await again.connect();
    assertEquals(await again.texts(1), ["one"]);
    await alice.reached(number, "delivered");
    await again[Symbol.asyncDispose]();
    // The server noticed that it was cut off.
    server.failures.length = 0;
  });
});
