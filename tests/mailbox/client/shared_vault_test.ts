import { assert, assertEquals } from "@std/assert";
import { startAfresh } from "../../../lib/mailbox/mod.ts";
import { mailboxServer, pause } from "../raw_mailbox.ts";
import type { MailboxServer } from "../raw_mailbox.ts";
import { Machine } from "./machine.ts";

interface Home {
  readonly server: MailboxServer;
  /** Somebody to write with, online. */
  readonly bob: Machine;
  /** Alice's vault. */
  readonly vaultPath: string;
  /** One process of Alice's, over that vault or a copy of it. */
  process(vaultPath?: string): Promise<Machine>;
}

async function withHome(body: (home: Home) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "sotto-test-" });
  try {
    const vaultPath = `${directory}/vault.db`;
    await using server = await mailboxServer();
    await using bob = await Machine.enrol(server, "bob@test");
    await bob.connect();
    const { member } = await Machine.enrol(server, "alice@test").then(
      async (first) => {
        await first[Symbol.asyncDispose]();
        return first;
      },
    );
    await body({
      server,
      bob,
      vaultPath,
      process: (path = vaultPath) =>
        Machine.of(server, member, { vaultPath: path }),
    });
    assertEquals(server.failures, []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("S3.4: one process follows while others send from the same vault: nothing is lost or shown twice", async () => {
  await withHome(async ({ bob, process }) => {
    await using follower = await process();
    await follower.connect();
    const toBob = Array.from({ length: 12 }, (_, i) => `to bob ${i}`);
    const toAlice = Array.from({ length: 40 }, (_, i) => `to alice ${i}`);
    const answering = (async () => {
      for (const text of toAlice) {
        await bob.mailbox.send("alice@test", text);
        await pause(2);
      }
    })();
    const numbers: number[] = [];
    for (const text of toBob) {
      await using sender = await process();
      await sender.connect({ receive: false });
      const number = await sender.mailbox.send("bob@test", text);
      await sender.left(number);
      numbers.push(number);
    }
    await answering;
    assertEquals(await bob.texts(toBob.length), toBob);
    assertEquals(await follower.texts(toAlice.length), toAlice);
    assertEquals(new Set(numbers).size, toBob.length);
    // What the follower hears of the others' texts ends where it must.
    for (const number of numbers) await follower.reached(number, "delivered");
    const history = await follower.history("bob@test");
    assertEquals(
      history.map(({ number }) => number),
      history.map((_, i) => i + 1),
    );
    assertEquals(history.length, toBob.length + toAlice.length);
    assertEquals(bob.count("unreadable") + follower.count("unreadable"), 0);
  });
});

Deno.test("S3.4: two processes receive at once: each text is shown by one of them, and kept once", async () => {
  await withHome(async ({ bob, process }) => {
    await using one = await process();
    await using two = await process();
    await one.connect();
    await two.connect();
    assertEquals(one.count("moved") + two.count("moved"), 0);
    const texts = Array.from({ length: 40 }, (_, i) => `text ${i}`);
    for (const text of texts) await bob.mailbox.send("alice@test", text);
    await bob.reached(texts.length, "delivered");
    await pause(50);
    assertEquals(await one.received("bob@test"), texts);
    const shown = [one, two].flatMap((each) =>
      each.events.filter((event) => event.kind === "text")
        .map(({ entry }) => entry.text)
    );
    assertEquals(shown.toSorted(), texts.toSorted());
  });
});

Deno.test("S3.4: two processes write at once, also to somebody never met", async () => {
  await withHome(async ({ bob, process }) => {
    await using one = await process();
    await using two = await process();
    await one.connect({ receive: false });
    await two.connect({ receive: true });
    const texts = Array.from({ length: 30 }, (_, i) => `text ${i}`);
    await Promise.all(
      texts.map((text, i) =>
        (i % 2 === 0 ? one : two).mailbox.send("bob@test", text)
      ),
    );
    assertEquals((await bob.texts(30)).toSorted(), texts.toSorted());
    await pause(50);
    assertEquals(bob.count("text"), 30);
    assertEquals(bob.count("unreadable"), 0);
  });
});

Deno.test("a text that two processes post at once is told as stored to both", async () => {
  await withHome(async ({ server, bob, process }) => {
    await using one = await process();
    await using two = await process();
    await one.connect({ receive: false });
    await one.mailbox.send("bob@test", "first");
    await one.disconnect();
    const number = await one.mailbox.send("bob@test", "second");
    await bob.texts(1);
    // Both have posted it before either has an answer.
    const both = Promise.withResolvers<void>();
    const { letters } = server.store;
    const { add } = letters;
    let posted = 0;
    letters.add = async (letter, quota) => {
      // Bob's receipt for the first may come in between.
      if (letter.recipient === "bob@test") {
        if (++posted === 2) both.resolve();
        await both.promise;
      }
      return await add.call(letters, letter, quota);
    };
    await Promise.all(
      [one, two].map((each) => each.connect({ receive: false })),
    );
    await one.left(number);
    await two.left(number);
    letters.add = add;
    assertEquals(await bob.texts(2), ["first", "second"]);
  });
});

Deno.test("a text that another process sealed and posted is told to the one that wrote it", async () => {
  await withHome(async ({ bob, process }) => {
    await using writer = await process();
    await using follower = await process();
    await writer.connect({ receive: false });
    await follower.connect();
    const first = await follower.mailbox.send("bob@test", "first");
    await follower.reached(first, "delivered");
    // The writer has sealed it and is not online.
    await writer.disconnect();
    const number = await writer.mailbox.send("bob@test", "second");
    await follower.mailbox.flush();
    await bob.texts(2);
    assertEquals(writer.count("state"), 1);
    await writer.connect({ receive: false });
    await writer.left(number);
    assertEquals(bob.count("text"), 2);
  });
});

Deno.test("S3.4: a copied vault is made safe to use on another machine", async () => {
  await withHome(async ({ server, bob, vaultPath, process }) => {
    await using old = await process();
    await old.connect();
    await old.mailbox.send("bob@test", "before");
    await bob.texts(1);
    await bob.mailbox.send("alice@test", "before, too");
    await old.texts(1);
    assert(await old.mailbox.book.verify("bob@test", true));
    await old.disconnect();
    await old.mailbox.send("bob@test", "queued before the copy");

    const copyPath = `${vaultPath}.copy`;
    old.vault.copyTo(copyPath);
    await using young = await process(copyPath);
    await startAfresh(young.vault);
    // The old machine goes on for a while, in the sessions that it has.
    await old.connect();
    await old.mailbox.send("bob@test", "from the old machine");
    assertEquals(await bob.texts(3), [
      "before",
      "queued before the copy",
      "from the old machine",
    ]);
    await young.connect();
    await old.told("moved");
    assertEquals(
      (await young.history("bob@test")).map(({ text }) => text),
      ["before", "before, too", "queued before the copy"],
    );
    const contact = await young.mailbox.book.contact("bob@test");
    assert(contact?.verified);
    assertEquals(young.count("new-contact"), 0);

    await bob.mailbox.send("alice@test", "where are you?");
    assertEquals(await young.texts(1), ["where are you?"]);
    await young.mailbox.send("bob@test", "on the new machine");
    assertEquals((await bob.texts(4))[3], "on the new machine");
    await pause(50);
    // What both machines had queued came once.
    assertEquals(bob.count("text"), 4);
    assertEquals((await server.store.letters.usage("bob@test")).letters, 0);
  });
});
