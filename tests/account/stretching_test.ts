import { assertEquals, assertRejects } from "@std/assert";
import { loginByPassphrase } from "../../lib/account/mod.ts";
import {
  KDF_MEMORY,
  KDF_PASSES,
  KDF_SALT,
  PREPARE,
  PREPARED,
} from "../../lib/account/commands.ts";
import {
  ExcessiveCostError,
  MAXIMUM_COST,
  MINIMUM_COST,
  WeakCostError,
} from "../../lib/identity/mod.ts";
import {
  ChannelError,
  CommandWriter,
  randomBytes,
} from "../../lib/protocol/mod.ts";
import type { Argon2Cost } from "../../lib/protocol/mod.ts";
import { testNodeKeyring } from "../support/keyrings.ts";
import { scriptedServer } from "../support/scripted_server.ts";
import { doctoredStore } from "./doctored_store.ts";
import { enrolCheaply, quickServer } from "./people.ts";
import { tap } from "./tapped_link.ts";

/** Asks a server that answers PREPARE with `cost` to log in; what it heard besides PREPARE. */
async function heard(
  cost: Argon2Cost,
  expected: new (...parts: never[]) => Error,
): Promise<string[]> {
  const messages: string[] = [];
  const node = await testNodeKeyring();
  await using server = scriptedServer(node, async (link) => {
    for (;;) {
      const message = await link.next();
      if (message === null) return;
      if (message.verb !== PREPARE) {
        messages.push(message.describe());
        continue;
      }
      await link.send(
        new CommandWriter().set(KDF_SALT, randomBytes(16))
          .set(KDF_MEMORY, cost.memoryKiB).set(KDF_PASSES, cost.passes)
          .verb(PREPARED).done(),
      );
    }
  });
  const link = await server.connect();
  await assertRejects(
    () =>
      loginByPassphrase(link, node.certificate, "alice@test", "correct horse"),
    expected as unknown as new () => Error,
  );
  await link.close();
  return messages;
}

Deno.test("S3.2: a server that asks for a weak stretching gets nothing to guess at", async () => {
  const { memoryKiB, passes } = MINIMUM_COST;
  const costs = [
    { memoryKiB: 1_024, passes: 3 },
    { memoryKiB: memoryKiB - 1, passes: 16 },
    { memoryKiB, passes: passes - 1 },
    { memoryKiB: 0, passes: 0 },
  ];
  for (const cost of costs) {
    assertEquals(await heard(cost, WeakCostError), []);
  }
});

Deno.test("S3.2: a server that asks for an exhausting stretching is not obeyed", async () => {
  const { memoryKiB, passes } = MAXIMUM_COST;
  const costs = [
    { memoryKiB: memoryKiB + 1, passes: 3 },
    { memoryKiB: 65_536, passes: passes + 1 },
    { memoryKiB: 0xffffffff, passes: 255 },
  ];
  for (const cost of costs) {
    assertEquals(await heard(cost, ExcessiveCostError), []);
  }
});

Deno.test("S3.2: the same where a real server's record was weakened", async () => {
  await using server = await quickServer();
  await enrolCheaply(server, "alice@test", "correct horse");
  await using weakened = await quickServer({
    node: server.node,
    store: doctoredStore(
      server.store,
      (account) => account && { ...account, kdfMemoryKiB: 1_024 },
    ),
  });
  const { link } = await tap(weakened);
  await assertRejects(
    () =>
      loginByPassphrase(
        link,
        server.node.certificate,
        "alice@test",
        "correct horse",
      ),
    WeakCostError,
  );
  assertEquals(link.sent.map(({ verb }) => verb), [PREPARE]);
  await link.close();
});

Deno.test("S3.2: another salt than the one at registration yields no login, and no keys", async () => {
  await using server = await quickServer();
  await enrolCheaply(server, "alice@test", "correct horse");
  await using changed = await quickServer({
    node: server.node,
    store: doctoredStore(
      server.store,
      (account) => account && { ...account, kdfSalt: randomBytes(16) },
    ),
  });
  const { link } = await tap(changed);
  await assertRejects(
    () =>
      loginByPassphrase(
        link,
        server.node.certificate,
        "alice@test",
        "correct horse",
      ),
    Error,
    "name or passphrase is wrong",
  );
  await link.close();
});

Deno.test("S3.1: a server that falls silent or talks out of turn is no login either", async () => {
  const node = await testNodeKeyring();
  const talk = new CommandWriter().verb(PREPARE).done();
  for (const says of [undefined, talk]) {
    await using server = scriptedServer(node, async (link) => {
      await link.next();
      if (says === undefined) return await link.close();
      await link.send(says);
      await link.next();
    });
    const link = await server.connect();
    const error = await assertRejects(
      () => loginByPassphrase(link, node.certificate, "alice@test", "x"),
      Error,
      says === undefined
        ? "the server closed the connection"
        : "PREPARE came instead of PREPARED",
    );
    assertEquals(error instanceof ChannelError, says === undefined);
    await link.close();
  }
});
