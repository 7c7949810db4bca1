import { assertEquals } from "@std/assert";
import { randomBytes } from "../../lib/protocol/mod.ts";
import { mailboxServer, pause, RawMailbox, refusal } from "./raw_mailbox.ts";

Deno.test("a device that has never announced itself gets no letters", async () => {
  await using server = await mailboxServer();
  await using bob = await RawMailbox.enrol(server, "bob@test");
  assertEquals(await refusal(bob.open(randomBytes(16))), "moved");
  assertEquals(await refusal(bob.open(new Uint8Array(16))), "moved");
  const bundle = await bob.bundle();
  assertEquals(await refusal(bob.publish(randomBytes(16), bundle)), "moved");
});

Deno.test("a new device ends the old one's delivery, is alone from then on, and can be replaced again", async () => {
  await using server = await mailboxServer();
  await using alice = await RawMailbox.enrol(server, "alice@test");
  await using old = await RawMailbox.enrol(server, "bob@test");
  const oldDevice = await old.begin();
  await using also = await RawMailbox.enter(server, old.member);
  await also.open(oldDevice);
  const [first] = await alice.postMany("bob@test", 1);
  await old.ids(1);
  await also.ids(1);

  await using young = await RawMailbox.enter(server, old.member);
  const youngDevice = await young.begin();
  await old.until(() => old.moved === 1);
  await also.until(() => also.moved === 1);
  const [second] = await alice.postMany("bob@test", 1);
  // What the old one did not acknowledge comes to the new one too.
  assertEquals(await young.ids(2), [first, second]);
  await pause(50);
  assertEquals(old.arrived.length, 1);
  assertEquals(also.arrived.length, 1);
  assertEquals(young.moved, 0);
  assertEquals(await refusal(old.open(oldDevice)), "moved");
  const bundle = await old.bundle();
  assertEquals(await refusal(old.publish(oldDevice, bundle)), "moved");
  // It is still the account's connection: it may write and look people up.
  await old.post("alice@test");
  await old.find("alice@test");

  await young.acknowledge([1]);
  await old.move(oldDevice);
  await young.until(() => young.moved === 1);
  await old.open(oldDevice);
  assertEquals((await old.ids(2)).at(-1), second);
  assertEquals(await refusal(young.open(youngDevice)), "moved");
  assertEquals(server.failures, []);
});

Deno.test("a device that announces itself once more disturbs none of its own connections", async () => {
  await using server = await mailboxServer();
  await using alice = await RawMailbox.enrol(server, "alice@test");
  await using bob = await RawMailbox.enrol(server, "bob@test");
  const device = await bob.begin();
  await using other = await RawMailbox.enter(server, bob.member);
  await other.move(device);
  await other.open(device);
  const ids = await alice.postMany("bob@test", 2);
  assertEquals(await bob.ids(2), ids);
  assertEquals(await other.ids(2), ids);
  assertEquals(bob.moved, 0);
});

Deno.test("a mailbox that moves while the old device opens it stays closed there", async () => {
  const reading = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  let held = false;
  await using server = await mailboxServer({
    doctor: (store) => {
      const { accounts, prekeys, letters, invites, blobs } = store;
      const usage = async (recipient: string) => {
        if (held) {
          asked.resolve();
          await reading.promise;
        }
        return await letters.usage(recipient);
      };
      return {
        accounts,
        prekeys,
        letters: {
          usage,
          add: (letter, quota) => letters.add(letter, quota),
          pending: (recipient, after, limit) =>
            letters.pending(recipient, after, limit),
          acknowledge: (recipient, sequences) =>
            letters.acknowledge(recipient, sequences),
          expire: (now) => letters.expire(now),
        },
        invites,
        blobs,
        close: () => store.close(),
      };
    },
  });
  await using alice = await RawMailbox.enrol(server, "alice@test");
  await using old = await RawMailbox.enrol(server, "bob@test");
  const device = randomBytes(16);
  await old.move(device);
  held = true;
  const opening = old.open(device);
  await asked.promise;
  await using young = await RawMailbox.enter(server, old.member);
  await young.move(randomBytes(16));
  reading.resolve();
  assertEquals(await refusal(opening), "moved");
  assertEquals(old.moved, 1);
  await alice.post("bob@test");
  await pause(50);
  assertEquals(old.arrived, []);
  assertEquals(server.failures, []);
});
