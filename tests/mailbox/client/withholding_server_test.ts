import { assertEquals } from "@std/assert";
import { Machine } from "./machine.ts";
import { converse, withTwo, write } from "./two_people.ts";

Deno.test("letters of nobody, or of somebody whose certificate does not hold, do not stop those of others", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    await using carol = await Machine.enrol(server, "carol@test");
    await carol.connect();
    await carol.mailbox.send("bob@test", "from carol");
    await carol.mailbox.settled();
    await write(alice, ["from alice"]);
    server.lies.waiting = (_, letters) => [
      { ...letters[0]!, sequence: 901, sender: "nobody@test" },
      { ...letters[0]!, sequence: 902, sender: "" },
      { ...letters[0]!, sequence: 903, sender: "no address" },
      ...letters,
    ];
    server.lies.account = (account) =>
      account?.address !== "carol@test"
        ? account
        : { ...account, certificate: account.certificate.slice(1) };
    await bob.connect();
    assertEquals(await bob.texts(1), ["from alice"]);
    await alice.reached(1, "delivered");
    await bob.until((events) => {
      const unreadable = events.filter(({ kind }) => kind === "unreadable");
      return unreadable.length >= 4 ? true : undefined;
    });
    // What may be the server's fault is asked for again.
    server.lies.account = (account) => account;
    await bob.reconnect();
    assertEquals(await bob.texts(2), ["from alice", "from carol"]);
  });
});

Deno.test("what the server calls stored and drops is never called delivered", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    await converse(two);
    await bob.connect();
    server.lies.drops = ({ recipient }) => recipient === "bob@test";
    await write(alice, ["dropped"]);
    assertEquals(
      (await alice.mailbox.book.entry("bob@test", 3))?.state,
      "stored",
    );
    delete server.lies.drops;
    await write(alice, ["kept"]);
    await alice.reached(4, "delivered");
    assertEquals((await bob.told("gap")).missing, 1);
    assertEquals(
      (await alice.mailbox.book.entry("bob@test", 3))?.state,
      "stored",
    );
  });
});

Deno.test("whoever withholds hundreds of letters here and there delays them and stops nothing", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    await converse(two);
    // One run more than a session remembers.
    const texts = Array.from({ length: 2 * 257 }, (_, i) => `text ${i}`);
    await Promise.all(
      texts.map((text) => alice.mailbox.send("bob@test", text)),
    );
    await alice.mailbox.settled();
    server.lies.waiting = (_, letters) => letters.filter((_, i) => i % 2 === 1);
    await bob.connect();
    await bob.texts(1 + 257);
    delete server.lies.waiting;
    await bob.reconnect();
    await bob.texts(1 + texts.length);
    await alice.reached(2 + texts.length, "delivered");
    assertEquals(
      (await bob.received("alice@test")).toSorted(),
      ["hello", ...texts].toSorted(),
    );
    assertEquals(bob.count("unreadable"), 0);
  });
});
