import { assert, assertEquals } from "@std/assert";
import { acceptSession } from "../../../lib/mailbox/session_start.ts";
import {
  createPrekeys,
  publishBundle,
} from "../../../lib/mailbox/prekey_secrets.ts";
import {
  FOLLOWING_LETTER_BYTES,
  OPENING_LETTER_BYTES,
} from "../../../lib/mailbox/mod.ts";
import { fromUtf8, randomBytes } from "../../../lib/protocol/mod.ts";
import type { OneTimeKey, StoredLetter } from "../../../lib/store/mod.ts";
import { freshKeyring } from "../../support/keyrings.ts";
import { pause } from "../raw_mailbox.ts";
import { lyingServer } from "./lies.ts";
import { Machine } from "./machine.ts";

import { converse, emptied, withTwo, write } from "./two_people.ts";

Deno.test("S3.4: another certificate for somebody known is told, and nothing is sent before the user accepts it", async () => {
  await withTwo(async ({ server, alice, bob }) => {
    await alice.mailbox.find("bob@test");
    const other = await freshKeyring("bob@test");
    const secrets = await createPrekeys(1);
    server.lies.account = (account) =>
      account?.address !== "bob@test" ? account : {
        ...account,
        certificate: other.certificate.bytes,
        certificateId: other.certificate.id,
      };
    server.lies.bundle = () => publishBundle(other, secrets);
    server.lies.oneTime = () => Promise.resolve(undefined);

    const number = await alice.mailbox.send("bob@test", "for Bob alone");
    await alice.told("identity-changed");
    await alice.mailbox.send("bob@test", "and this");
    await alice.reconnect();
    await alice.mailbox.settled();
    const { letters } = await server.store.letters.usage("bob@test");
    assertEquals(letters, 0);
    assertEquals(
      (await alice.history("bob@test")).map(({ state }) => state),
      ["queued", "queued"],
    );
    // The pinned one still counts, and its safety number was not compared with the new one.
    assertEquals(
      (await alice.mailbox.book.certificate("bob@test"))?.id,
      bob.member.keyring.certificate.id,
    );

    assert(await alice.mailbox.book.verify("bob@test", true));
    assert(await alice.mailbox.book.accept("bob@test"));
    assert(!await alice.mailbox.book.accept("bob@test"));
    const contact = await alice.mailbox.book.contact("bob@test");
    assertEquals(contact?.verified, false);
    await alice.reconnect();
    await alice.reached(number + 1, "stored");
    const sent = await server.store.letters.pending("bob@test", 0, 10);
    const opened = await acceptSession(
      other,
      alice.member.keyring.certificate,
      secrets,
      sent[0]!.body,
    );
    const { payload } = opened.message;
    assertEquals(fromUtf8(payload.subarray(16)), "for Bob alone");
  });
});

Deno.test("S3.4: letters of an identity that was not accepted wait unopened, and are read once it is", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    // Bob knows another Alice: the name has changed hands.
    const former = await freshKeyring("alice@test");
    await bob.mailbox.book.pin("alice@test", former.certificate.bytes);
    await write(alice, ["it is me"]);
    await bob.connect();
    await bob.told("identity-changed");
    await pause(50);
    assertEquals(bob.count("text"), 0);
    assertEquals(bob.count("unreadable"), 0);
    const { letters } = await server.store.letters.usage("bob@test");
    assertEquals(letters, 1);
    await bob.mailbox.book.accept("alice@test");
    await bob.reconnect();
    assertEquals(await bob.texts(1), ["it is me"]);
    await alice.reached(1, "delivered");
  });
});

Deno.test("prekeys that another has signed are not used, and the text leaves once there are good ones", async () => {
  await withTwo(async ({ server, alice, bob }) => {
    const other = await freshKeyring("bob@test");
    const good = await server.store.prekeys.bundle("bob@test");
    const bad = good!.slice();
    bad[100]! ^= 1;
    const lies = [
      await publishBundle(other, await createPrekeys(1)),
      bad,
      randomBytes(good!.length),
      good!.slice(0, 100),
      new Uint8Array(0),
    ];
    for (const [i, bundle] of lies.entries()) {
      server.lies.bundle = () => Promise.resolve(bundle);
      const number = await alice.mailbox.send("bob@test", `text ${i}`);
      const entry = await alice.mailbox.book.entry("bob@test", number);
      assertEquals(entry?.state, "queued");
      assert(/^Cannot (use|read|take) /.test(entry!.reason), entry?.reason);
    }
    const { letters } = await server.store.letters.usage("bob@test");
    assertEquals(letters, 0);
    server.lies.bundle = (truth, address) => truth.bundle(address);
    await alice.reconnect();
    await alice.reached(lies.length, "stored");
    await bob.connect();
    assertEquals(await bob.texts(lies.length), lies.map((_, i) => `text ${i}`));
    assertEquals((await alice.reached(5, "delivered")).reason, "");
  });
});

Deno.test("a one-time prekey that is handed out twice delays the second letter and loses nothing", async () => {
  await withTwo(async ({ server, alice, bob }) => {
    let taken: Promise<OneTimeKey | undefined> | undefined;
    server.lies.oneTime = (truth, address) =>
      address === "bob@test"
        ? taken ??= truth.takeOneTime(address)
        : truth.takeOneTime(address);
    await using carol = await Machine.enrol(server, "carol@test");
    await carol.connect();
    await write(alice, ["from alice", "more"]);
    await carol.mailbox.send("bob@test", "from carol");
    await carol.mailbox.settled();
    await bob.connect();
    assertEquals((await bob.texts(3)).toSorted(), [
      "from alice",
      "from carol",
      "more",
    ]);
    await alice.reached(2, "delivered");
    await carol.reached(1, "delivered");
    assertEquals(bob.count("text"), 3);
  });
});

Deno.test("a letter that is withheld leaves a gap that is told; if it comes after all it is shown", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    await converse(two);
    await write(alice, ["one", "two", "three"]);
    const withheld: StoredLetter[] = [];
    server.lies.waiting = (_, [first, second, ...others]) => {
      withheld.push(second!);
      return [first!, ...others];
    };
    await bob.connect();
    assertEquals(await bob.texts(3), ["hello", "one", "three"]);
    const gap = await bob.told("gap");
    assertEquals([gap.address, gap.missing], ["alice@test", 1]);
    await alice.reached(3, "delivered");
    await alice.reached(5, "delivered");
    const entry = await alice.mailbox.book.entry("bob@test", 4);
    assertEquals(entry?.state, "stored");

    server.lies.waiting = () => withheld;
    await bob.reconnect();
    assertEquals((await bob.texts(4))[3], "two");
    await alice.reached(4, "delivered");
    assertEquals(bob.count("gap"), 1);
  });
});

Deno.test("letters in another order, and each several times, are shown once", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    await converse(two);
    const texts = ["one", "two", "three", "four", "five"];
    await write(alice, texts);
    server.lies.waiting = (_, letters) =>
      [...letters, ...letters.toReversed(), ...letters].toReversed();
    await bob.connect();
    assertEquals(await bob.texts(6), ["hello", ...texts.toReversed()]);
    for (let i = 3; i <= 7; i++) await alice.reached(i, "delivered");
    await pause(50);
    assertEquals(bob.count("text"), 6);
    assertEquals(bob.count("unreadable"), 0);
  });
});

Deno.test("letters that were read once are not shown when they are delivered again, whenever that is", async () => {
  const directory = await Deno.makeTempDir({ prefix: "sotto-test-" });
  try {
    await using server = await lyingServer();
    await using alice = await Machine.enrol(server, "alice@test");
    const vaultPath = `${directory}/vault.db`;
    await using bob = await Machine.enrol(server, "bob@test", { vaultPath });
    await bob.connect();
    await bob.disconnect();
    await alice.connect();
    await write(alice, ["opening", "also opening"]);
    const kept = await server.store.letters.pending("bob@test", 0, 10);
    await bob.connect();
    await bob.texts(2);
    await alice.reached(2, "delivered");
    await write(alice, ["following"]);
    await bob.texts(3);
    await bob.disconnect();
    // With numbers that they had, and with new ones.
    server.lies.waiting = () => [
      ...kept,
      ...kept.map((letter) => ({ ...letter, sequence: letter.sequence + 50 })),
    ];
    await using again = await Machine.of(server, bob.member, { vaultPath });
    await again.connect();
    await pause(100);
    assertEquals(again.events, []);
    assertEquals(await again.received("alice@test"), [
      "opening",
      "also opening",
      "following",
    ]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("S0.7: a letter under another's name is not shown as theirs", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    await using carol = await Machine.enrol(server, "carol@test");
    await carol.connect();
    await carol.mailbox.send("bob@test", "I am Carol");
    await bob.connect();
    await bob.texts(1);
    await bob.disconnect();
    // Of the kind that opens a session, and of the other.
    for (const text of ["opening", "following"]) {
      await write(alice, [text]);
      server.lies.waiting = (_, letters) =>
        letters.map((letter) => ({ ...letter, sender: "carol@test" }));
      await bob.connect();
      await pause(100);
      assertEquals(await bob.received("carol@test"), ["I am Carol"]);
      assert(!(await bob.received("alice@test")).includes(text));
      await bob.disconnect();
      if (text === "opening") {
        assertEquals((await bob.told("unreadable")).address, "carol@test");
        delete server.lies.waiting;
        await converse(two);
        bob.events.length = 0;
      }
    }
    delete server.lies.waiting;
    await bob.connect();
    await carol.mailbox.send("bob@test", "really Carol");
    await bob.until((events) =>
      events.find((event) =>
        event.kind === "text" && event.entry.text === "really Carol"
      )
    );
  });
});

Deno.test("letters from somebody of whom the server knows nothing are told once, and forgotten", async () => {
  await withTwo(async ({ server, alice, bob }) => {
    await write(alice, ["one", "two"]);
    server.lies.account = (truth) =>
      truth?.address === "alice@test" ? undefined : truth;
    await bob.connect();
    assertEquals((await bob.told("unreadable")).address, "alice@test");
    await emptied(server, "bob@test");
    await bob.disconnect();
    await bob.connect();
    await bob.disconnect();
    assertEquals(bob.count("unreadable"), 1);
  });
});

Deno.test("letters that cannot be read are told, and what comes with them and after is read", async () => {
  await withTwo(async (two) => {
    const { server, alice, bob } = two;
    await converse(two);
    await write(alice, ["one", "two"]);
    const garbage = (body: Uint8Array<ArrayBuffer>): StoredLetter => ({
      sequence: 900,
      sender: "alice@test",
      letterId: randomBytes(16),
      body,
      storedAt: 0,
    });
    let spoilt = 0;
    server.lies.waiting = (_, letters) => {
      const { body } = letters[0]!;
      const lies = [
        randomBytes(FOLLOWING_LETTER_BYTES),
        randomBytes(OPENING_LETTER_BYTES),
        new Uint8Array(0),
        body.slice(0, -1),
        // Its version, its kind, its header, its seal.
        ...[0, 1, 20, 45, 60, 300, 545].map((at) => {
          const flipped = body.slice();
          flipped[at]! ^= 1;
          return flipped;
        }),
      ];
      spoilt = lies.length;
      return [...lies.map(garbage), ...letters];
    };
    await bob.connect();
    assertEquals(await bob.texts(3), ["hello", "one", "two"]);
    assertEquals(bob.count("unreadable"), spoilt);
    await alice.reached(3, "delivered");
    await write(alice, ["three"]);
    assertEquals((await bob.texts(4))[3], "three");
  });
});
