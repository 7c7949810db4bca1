import { assertEquals } from "@std/assert";
import type { ServerSession } from "../../lib/account/mod.ts";
import {
  DEVICE_ID,
  LETTER,
  LETTER_ID,
  MAILBOX,
  OPEN_MAILBOX,
  PERSON,
  POST,
} from "../../lib/mailbox/commands.ts";
import {
  DEFAULT_MAILBOX_LIMITS,
  FOLLOWING_LETTER_BYTES,
  MailboxService,
} from "../../lib/mailbox/mod.ts";
import {
  CommandWriter,
  Decoder,
  randomBytes,
  utf8,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../lib/protocol/mod.ts";
import { SqliteServerStore } from "../../lib/store/mod.ts";
import { accountSample } from "../store/cases/samples.ts";
import { pause } from "./raw_mailbox.ts";

const DEVICE = randomBytes(16);

/** What the service sees of a connection, and what it sent there. */
interface Connection {
  readonly session: ServerSession;
  readonly pushed: Bytes[];
}

function connection(address: string): Connection {
  const pushed: Bytes[] = [];
  const push = (commands: Bytes) => {
    pushed.push(commands);
    return Promise.resolve();
  };
  const session = { address, push, abort: () => {} };
  return { session: session as unknown as ServerSession, pushed };
}

function message(writer: CommandWriter): Message {
  const decoder = new Decoder(new Vocabulary(MAILBOX), {
    messageBytes: 4_096,
    skippedBytes: 0,
  });
  decoder.push(writer.done());
  return decoder.next()!;
}

const OPENING = message(
  new CommandWriter().set(DEVICE_ID, DEVICE).verb(OPEN_MAILBOX),
);

function posting(): Message {
  return message(
    new CommandWriter(1_024).set(PERSON, utf8("bob@test"))
      .set(LETTER_ID, randomBytes(16))
      .set(LETTER, randomBytes(FOLLOWING_LETTER_BYTES)).verb(POST),
  );
}

async function withService(
  body: (service: MailboxService) => Promise<void>,
): Promise<void> {
  const store = await SqliteServerStore.open(":memory:");
  const failures: unknown[] = [];
  try {
    for (const address of ["alice@test", "bob@test"]) {
      await store.accounts.create(accountSample(address), null);
    }
    await store.accounts.setDevice("bob@test", DEVICE);
    const service = new MailboxService(
      store,
      DEFAULT_MAILBOX_LIMITS,
      Date.now,
      (error) => failures.push(error),
    );
    await body(service);
    assertEquals(failures, []);
  } finally {
    await store.close();
  }
}

Deno.test("a connection that has gone gets nothing, whenever it went", async () => {
  await withService(async (service) => {
    const alice = connection("alice@test").session;
    const stayed = connection("bob@test");
    const left = connection("bob@test");
    const leftWhileOpening = connection("bob@test");
    const leftBefore = connection("bob@test");
    await service.handle(stayed.session, OPENING);
    await service.handle(left.session, OPENING);
    service.left(left.session);
    const opening = service.handle(leftWhileOpening.session, OPENING);
    service.left(leftWhileOpening.session);
    await opening.catch(() => {});
    // What a client asked for may be worked on after its connection has gone.
    service.left(leftBefore.session);
    await service.handle(leftBefore.session, OPENING).catch(() => {});

    await service.handle(alice, posting());
    await pause(10);
    assertEquals(stayed.pushed.length, 1);
    for (const gone of [left, leftWhileOpening, leftBefore]) {
      assertEquals(gone.pushed.length, 0);
    }
  });
});
