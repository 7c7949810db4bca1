import { assert, assertEquals } from "@std/assert";
import {
  ACKNOWLEDGE,
  LETTER,
  LETTER_ID,
  PERSON,
  POST,
  RETENTION,
  SEQUENCES,
  WAITING,
} from "../../lib/mailbox/commands.ts";
import {
  FOLLOWING_LETTER_BYTES,
  OPENING_LETTER_BYTES,
} from "../../lib/mailbox/mod.ts";
import { CommandWriter, randomBytes, utf8 } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { mailboxServer, pause, RawMailbox, refusal } from "./raw_mailbox.ts";
import type { MailboxServerOptions } from "./raw_mailbox.ts";

/** A server, Alice and Bob, who has a mailbox and is away. */
async function withTwo(
  options: MailboxServerOptions,
  body: (
    two: {
      server: Awaited<ReturnType<typeof mailboxServer>>;
      alice: RawMailbox;
      /** Bob, on a new connection, with his mailbox open. */
      bob: () => Promise<RawMailbox>;
    },
  ) => Promise<void>,
): Promise<void> {
  await using server = await mailboxServer(options);
  await using alice = await RawMailbox.enrol(server, "alice@test");
  await using first = await RawMailbox.enrol(server, "bob@test");
  const device = await first.begin();
  await first.session.close();
  await body({
    server,
    alice,
    bob: async () => {
      const bob = await RawMailbox.enter(server, first.member);
      await bob.open(device);
      return bob;
    },
  });
  assertEquals(server.failures, []);
}

Deno.test("S0.6: what is posted to somebody who is away is delivered as it was posted, in order", async () => {
  let now = 1_900_000_000_000;
  await withTwo({ now: () => now }, async ({ alice, bob }) => {
    const letters = [FOLLOWING_LETTER_BYTES, OPENING_LETTER_BYTES]
      .map((length) => ({
        letterId: randomBytes(16),
        letter: randomBytes(length),
      }));
    const storedAt: number[] = [];
    for (const letter of letters) {
      storedAt.push(now);
      assertEquals(await alice.post("bob@test", letter), letter.letterId);
      now += 1_000;
    }
    await using reader = await bob();
    await reader.ids(2);
    assertEquals(
      reader.arrived,
      letters.map(({ letterId, letter }, i) => ({
        sequence: i + 1,
        sender: "alice@test",
        letterId: letterId.toHex(),
        letter: letter.toHex(),
        storedAt: storedAt[i]!,
      })),
    );
  });
});

Deno.test("OPENED says how many letters wait and for how long they do", async () => {
  await withTwo(
    { limits: { retention: 77 } },
    async ({ server, alice }) => {
      await using carol = await RawMailbox.enrol(server, "carol@test");
      const device = randomBytes(16);
      await carol.move(device);
      await alice.postMany("carol@test", 3);
      const opened = await carol.open(device);
      assertEquals(opened.need(WAITING), 3);
      assertEquals(opened.need(RETENTION), 77);
    },
  );
});

for (
  const { name, quota } of [
    { name: "letters", quota: { letters: 3, bytes: 1_000_000 } },
    {
      name: "bytes",
      quota: { letters: 1_000, bytes: 4 * FOLLOWING_LETTER_BYTES - 1 },
    },
  ]
) {
  Deno.test(`S0.6: a mailbox takes no more ${name} than it may hold, and again when some were fetched`, async () => {
    await withTwo({ limits: { quota } }, async ({ server, alice, bob }) => {
      const ids = await alice.postMany("bob@test", 3);
      assertEquals(await refusal(alice.post("bob@test")), "mailbox-full");
      // A letter that is there counts as stored however full it is.
      const again = Uint8Array.fromHex(ids[0]!);
      assertEquals(await alice.post("bob@test", { letterId: again }), again);
      // The limit is each person's own.
      await using carol = await RawMailbox.enrol(server, "carol@test");
      await alice.post("carol@test");
      assertEquals(await refusal(carol.post("bob@test")), "mailbox-full");

      await using reader = await bob();
      assertEquals(await reader.ids(3), ids);
      // Delivered is not fetched: it is the acknowledgement that makes room.
      assertEquals(await refusal(alice.post("bob@test")), "mailbox-full");
      await reader.acknowledge([2]);
      const next = await alice.post("bob@test");
      assertEquals((await reader.ids(4))[3], next.toHex());
      assertEquals(await refusal(alice.post("bob@test")), "mailbox-full");
    });
  });
}

Deno.test("a letter of another size than the two is refused and not kept", async () => {
  await withTwo({}, async ({ server, alice }) => {
    for (
      const length of [
        0,
        1,
        FOLLOWING_LETTER_BYTES - 1,
        FOLLOWING_LETTER_BYTES + 1,
        OPENING_LETTER_BYTES - 1,
        OPENING_LETTER_BYTES + 1,
        65_535,
      ]
    ) {
      const posting = alice.post("bob@test", { letter: randomBytes(length) });
      assertEquals(await refusal(posting), "malformed", `${length} bytes`);
    }
    const { letters } = await server.store.letters.usage("bob@test");
    assertEquals(letters, 0);
  });
});

Deno.test("a letter without one of its parts, or for a name that is none, is refused", async () => {
  await withTwo({}, async ({ alice }) => {
    const letter = randomBytes(FOLLOWING_LETTER_BYTES);
    const id = randomBytes(16);
    const bob = utf8("bob@test");
    const parts = (person?: Bytes, letterId?: Bytes, body?: Bytes) =>
      alice.session.request(
        new CommandWriter(1_024).set(PERSON, person).set(LETTER_ID, letterId)
          .set(LETTER, body).verb(POST).done(),
      );
    assertEquals(await refusal(parts(undefined, id, letter)), "malformed");
    assertEquals(await refusal(parts(bob, undefined, letter)), "malformed");
    assertEquals(await refusal(parts(bob, id, undefined)), "malformed");
    const noText = new Uint8Array([0xff, 0xfe]);
    assertEquals(await refusal(parts(noText, id, letter)), "malformed");
    for (
      const name of ["", "nobody@test", "bob", "BOB@test", "bob@test ", "\0"]
    ) {
      const refused = await refusal(alice.post(name));
      assertEquals(refused, "unknown-person", JSON.stringify(name));
    }
    assertEquals(
      await refusal(alice.post("x".repeat(255))),
      "unknown-person",
    );
    await parts(bob, id, letter);
  });
});

Deno.test("S0.8: a letter that is posted again is stored once, also after it was fetched", async () => {
  await withTwo({}, async ({ server, alice, bob }) => {
    const letterId = randomBytes(16);
    await alice.post("bob@test", { letterId });
    await Promise.all([
      alice.post("bob@test", { letterId }),
      alice.post("bob@test", { letterId }),
    ]);
    await using reader = await bob();
    await reader.ids(1);
    // Also while its recipient is online.
    await alice.post("bob@test", { letterId });
    await reader.acknowledge([1]);
    await alice.post("bob@test", { letterId });
    // The id is the sender's own, and for one recipient.
    await using carol = await RawMailbox.enrol(server, "carol@test");
    await carol.post("bob@test", { letterId });
    await alice.post("carol@test", { letterId });
    await reader.until(() => reader.arrived.length >= 2);
    await pause(50);
    assertEquals(
      reader.arrived.map(({ sender }) => sender),
      ["alice@test", "carol@test"],
    );
    const { letters } = await server.store.letters.usage("carol@test");
    assertEquals(letters, 1);
  });
});

Deno.test("a letter waits for as long as the server says, and no longer", async () => {
  let now = 1_900_000_000_000;
  const options = { now: () => now, limits: { retention: 60 } };
  await withTwo(options, async ({ server, alice, bob }) => {
    const letterId = randomBytes(16);
    await alice.post("bob@test", { letterId });
    now += 30_000;
    const [later] = await alice.postMany("bob@test", 1);
    now += 29_999;
    assertEquals(await server.mailboxes.expire(), 0);
    now += 1;
    assertEquals(await server.mailboxes.expire(), 1);
    assertEquals(await server.mailboxes.expire(), 0);
    // Its id is forgotten with it: posted again it is another letter.
    await alice.post("bob@test", { letterId });
    await using reader = await bob();
    assertEquals(await reader.ids(2), [later!, letterId.toHex()]);
    assertEquals(reader.arrived.map(({ sequence }) => sequence), [2, 3]);
  });
});

Deno.test("a letter comes again until it is acknowledged, and never after", async () => {
  await withTwo({}, async ({ server, alice, bob }) => {
    const ids = await alice.postMany("bob@test", 3);
    {
      await using reader = await bob();
      assertEquals(await reader.ids(3), ids);
      await reader.acknowledge([1, 3]);
      // What was acknowledged, never was, or is somebody else's, changes nothing.
      await reader.acknowledge([3, 4, 0]);
      await alice.acknowledge([2]);
    }
    await using reader = await bob();
    assertEquals(await reader.ids(1), [ids[1]!]);
    assertEquals(
      await server.store.letters.usage("bob@test"),
      { letters: 1, bytes: FOLLOWING_LETTER_BYTES },
    );
    await pause(50);
    assertEquals(reader.arrived.length, 1);
  });
});

Deno.test("an acknowledgement names at most 4,096 letters, whatever their numbers", async () => {
  await withTwo({}, async ({ server, alice, bob }) => {
    await alice.postMany("bob@test", 2);
    await using reader = await bob();
    await reader.ids(2);
    await reader.acknowledge([]);
    await reader.acknowledge([2n ** 64n - 1n, 2n ** 63n, 2n ** 53n + 1n]);
    const many = Array.from({ length: 4_096 }, (_, i) => i + 2);
    assertEquals(await refusal(reader.acknowledge([1, ...many])), "malformed");
    const odd = new CommandWriter().set(SEQUENCES, new Uint8Array(15))
      .verb(ACKNOWLEDGE).done();
    assertEquals(await refusal(reader.session.request(odd)), "malformed");
    const { letters } = await server.store.letters.usage("bob@test");
    assertEquals(letters, 2);
    await reader.acknowledge(many);
    const left = await server.store.letters.pending("bob@test", 0, 10);
    assertEquals(left.map(({ sequence }) => sequence), [1]);
  });
});

Deno.test("S0.7: a letter bears the name of whoever posted it", async () => {
  await withTwo({}, async ({ server, alice, bob }) => {
    await using mallory = await RawMailbox.enrol(server, "mallory@test");
    await using reader = await bob();
    await Promise.all([alice.post("bob@test"), mallory.post("bob@test")]);
    await reader.ids(2);
    const senders = reader.arrived.map(({ sender }) => sender);
    assertEquals(senders.toSorted(), ["alice@test", "mallory@test"]);
    assert(!senders.includes("bob@test"));
  });
});
