import { assert, assertEquals, assertLess } from "@std/assert";
import * as fc from "fast-check";
import { ACCOUNT, ClientSession, loginByKey } from "../../lib/account/mod.ts";
import {
  DEVICE_ID,
  MAILBOX,
  OPEN_MAILBOX,
} from "../../lib/mailbox/commands.ts";
import {
  Caller,
  CommandChannel,
  CommandWriter,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { Message } from "../../lib/protocol/mod.ts";
import type { LetterStore, ServerStore } from "../../lib/store/mod.ts";
import { mailboxServer, pause, RawMailbox } from "./raw_mailbox.ts";
import type { MailboxServer } from "./raw_mailbox.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, MAILBOX);

/** As SPEC.md §6.3 promise. */
const WINDOW = 128;
const TOGETHER = 32;

/** A store of which it is told how many letters were read from it. */
function counting(
  store: ServerStore,
  onRead: (letters: number) => void,
): ServerStore {
  const real = store.letters;
  const letters: LetterStore = {
    add: (letter, quota) => real.add(letter, quota),
    pending: async (recipient, after, limit) => {
      const found = await real.pending(recipient, after, limit);
      onRead(found.length);
      return found;
    },
    acknowledge: (recipient, sequences) =>
      real.acknowledge(recipient, sequences),
    expire: (now) => real.expire(now),
    usage: (recipient) => real.usage(recipient),
  };
  return {
    accounts: store.accounts,
    prekeys: store.prekeys,
    letters,
    invites: store.invites,
    blobs: store.blobs,
    close: () => store.close(),
  };
}

/** A gate that pushes wait at before they are confirmed. */
class Gate {
  #open = Promise.withResolvers<void>();

  readonly pace = (): Promise<void> => this.#open.promise;

  open(): void {
    this.#open.resolve();
  }

  close(): void {
    this.#open = Promise.withResolvers<void>();
  }
}

/** Bob's mailbox, made and closed again. @returns his device's id. */
async function makeBob(
  server: MailboxServer,
): Promise<{ member: RawMailbox["member"]; device: Uint8Array<ArrayBuffer> }> {
  await using bob = await RawMailbox.enrol(server, "bob@test");
  return { member: bob.member, device: await bob.begin() };
}

Deno.test("whoever confirms nothing gets 128 letters and no more, and the server holds no others", async () => {
  let read = 0;
  await using server = await mailboxServer({
    doctor: (store) => counting(store, (letters) => read += letters),
  });
  const { member, device } = await makeBob(server);
  await using alice = await RawMailbox.enrol(server, "alice@test");
  const before = await alice.postMany("bob@test", 3 * WINDOW);
  await using bob = await RawMailbox.enter(server, member);
  const gate = new Gate();
  bob.pace = gate.pace;
  await bob.open(device);
  // Only the first push is in the hands of the client, which takes them one by one.
  await bob.until(() => bob.arrived.length > 0);
  const during = await alice.postMany("bob@test", 2 * WINDOW);
  await pause(200);
  assertLess(bob.arrived.length, WINDOW + 1);
  assertEquals(read, WINDOW);
  gate.open();
  assertEquals(await bob.ids(5 * WINDOW), [...before, ...during]);
  assert(Math.max(...bob.pushes) <= TOGETHER);
  assertEquals(read, 5 * WINDOW);
  const next = await alice.postMany("bob@test", 1);
  assertEquals((await bob.ids(5 * WINDOW + 1)).at(-1), next[0]);
  assertEquals(server.failures, []);
});

/** A connection from which nothing is read any more once it is deaf. */
class DeafLink extends CommandChannel {
  deaf = false;

  override next(): Promise<Message | null> {
    return this.deaf ? new Promise(() => {}) : super.next();
  }
}

Deno.test("a client that reads nothing from its socket holds up nobody else", async () => {
  await using server = await mailboxServer();
  const { member, device } = await makeBob(server);
  await using alice = await RawMailbox.enrol(server, "alice@test");
  const caller = new Caller(await server.dial());
  const deaf = new DeafLink(
    await caller.connect(server.node.certificate.dhKey),
    VOCABULARY,
    { messageBytes: 1_048_576, skippedBytes: 1_048_576 },
  );
  await loginByKey(deaf, member.keyring, member.usrKey);
  const session = new ClientSession(
    deaf,
    member.keyring,
    VOCABULARY,
    () => Promise.resolve(),
  );
  await session.request(
    new CommandWriter().set(DEVICE_ID, device).verb(OPEN_MAILBOX).done(),
  );
  deaf.deaf = true;
  await using bob = await RawMailbox.enter(server, member);
  await bob.open(device);
  const ids = await alice.postMany("bob@test", 4 * WINDOW);
  assertEquals(await bob.ids(4 * WINDOW), ids);
  deaf.abort();
  assertEquals(server.failures, []);
});

Deno.test("S0.6: whatever the pace of the reader, letters come in order and each once", async () => {
  await using server = await mailboxServer();
  const { member, device } = await makeBob(server);
  await using alice = await RawMailbox.enrol(server, "alice@test");
  await using carol = await RawMailbox.enrol(server, "carol@test");
  const schedule = fc.record({
    bursts: fc.array(
      fc.record({
        count: fc.integer({ min: 1, max: 80 }),
        wait: fc.integer({ min: 0, max: 8 }),
      }),
      { minLength: 2, maxLength: 8 },
    ),
    paces: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1 }),
    opensAfter: fc.integer({ min: 0, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(schedule, async ({ bursts, paces, opensAfter }) => {
      await using bob = await RawMailbox.enter(server, member);
      let push = 0;
      bob.pace = () => pause(paces[push++ % paces.length]!);
      const posted: Promise<string[]>[] = [];
      for (const [i, { count, wait }] of bursts.entries()) {
        if (i === Math.min(opensAfter, bursts.length - 1)) {
          await bob.open(device);
        }
        posted.push((i % 2 === 0 ? alice : carol).postMany("bob@test", count));
        await pause(wait);
      }
      const ids = (await Promise.all(posted)).flat();
      const arrived = await bob.ids(ids.length);
      assertEquals(arrived.toSorted(), ids.toSorted());
      const sequences = bob.arrived.map(({ sequence }) => sequence);
      assertEquals(sequences, sequences.toSorted((a, b) => a - b));
      await bob.acknowledge(sequences);
    }),
    { numRuns: 12 },
  );
  assertEquals(server.failures, []);
});

Deno.test("several connections of one device each get every letter", async () => {
  await using server = await mailboxServer();
  const { member, device } = await makeBob(server);
  await using alice = await RawMailbox.enrol(server, "alice@test");
  const before = await alice.postMany("bob@test", 5);
  await using one = await RawMailbox.enter(server, member);
  await using two = await RawMailbox.enter(server, member);
  await one.open(device);
  await two.open(device);
  const gate = new Gate();
  two.pace = gate.pace;
  const during = await alice.postMany("bob@test", 2 * WINDOW);
  assertEquals(await one.ids(5 + 2 * WINDOW), [...before, ...during]);
  gate.open();
  assertEquals(await two.ids(5 + 2 * WINDOW), [...before, ...during]);
});

Deno.test("letters that a connection acknowledged do not come to another that is behind", async () => {
  await using server = await mailboxServer();
  const { member, device } = await makeBob(server);
  await using alice = await RawMailbox.enrol(server, "alice@test");
  await using fast = await RawMailbox.enter(server, member);
  await using slow = await RawMailbox.enter(server, member);
  const gate = new Gate();
  slow.pace = gate.pace;
  await fast.open(device);
  await slow.open(device);
  await alice.postMany("bob@test", 2 * WINDOW);
  await fast.ids(2 * WINDOW);
  await fast.acknowledge(fast.arrived.map(({ sequence }) => sequence));
  gate.open();
  const [last] = await alice.postMany("bob@test", 1);
  await slow.until(() => slow.arrived.at(-1)?.letterId === last);
  assertLess(slow.arrived.length, WINDOW + 2);
});

Deno.test("opening a mailbox twice on one connection delivers nothing twice", async () => {
  await using server = await mailboxServer();
  const { member, device } = await makeBob(server);
  await using alice = await RawMailbox.enrol(server, "alice@test");
  const before = await alice.postMany("bob@test", 3);
  await using bob = await RawMailbox.enter(server, member);
  await Promise.all([bob.open(device), bob.open(device)]);
  await bob.ids(3);
  await bob.open(device);
  const after = await alice.postMany("bob@test", 1);
  assertEquals(await bob.ids(4), [...before, ...after]);
  await pause(50);
  assertEquals(bob.arrived.length, 4);
});
