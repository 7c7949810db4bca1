import { assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SqliteServerStore } from "../../lib/store/mod.ts";
import { migrate } from "../../lib/store/migrations.ts";
import { SERVER_SCHEMA } from "../../lib/store/sqlite/schema.ts";
import type { StoreHarness } from "./cases/harness.ts";
import {
  accountSample,
  AMPLE,
  AMPLE_BLOBS,
  blobSample,
  letterSample,
  register,
} from "./cases/samples.ts";
import { serverStoreCases } from "./cases/server_store_cases.ts";
import { withFolder } from "./folder.ts";

serverStoreCases("sqlite store", async (): Promise<StoreHarness> => {
  const folder = await Deno.makeTempDir({ prefix: "sotto-store-" });
  return {
    open: () => SqliteServerStore.open(`${folder}/server.db`),
    discard: () => Deno.remove(folder, { recursive: true }),
  };
});

Deno.test("sqlite store: in memory it works the same, and ends with closing", async () => {
  for (let i = 0; i < 2; i++) {
    const store = await SqliteServerStore.open(":memory:");
    await register(store, "ada");
    const { outcome } = await store.letters
      .add(letterSample("bob", "ada"), AMPLE);
    assertEquals(outcome, "stored");
    await store.close();
  }
});

Deno.test("sqlite store: an operator's process may use the file beside the server", async () => {
  await withFolder(async (folder) => {
    const server = await SqliteServerStore.open(`${folder}/server.db`);
    const operator = await SqliteServerStore.open(`${folder}/server.db`);
    await register(server, "ada", "bob");
    await server.letters.add(letterSample("bob", "ada"), AMPLE);
    await operator.accounts.delete("bob");
    assertEquals(await server.letters.pending("ada", 0, 9), []);
    assertEquals(
      (await server.letters.add(letterSample("ada", "bob"), AMPLE)).outcome,
      "unknown-recipient",
    );
    await operator.close();
    await server.close();
  });
});

Deno.test("sqlite store: what was deleted leaves no rows behind but the address", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/server.db`;
    const store = await SqliteServerStore.open(path);
    await register(store, "ada", "bob");
    for (const [from, to] of [["ada", "bob"], ["bob", "ada"]] as const) {
      for (let i = 0; i < 3; i++) {
        const { sequence } = await store.letters
          .add(letterSample(from, to), AMPLE);
        if (i === 0) await store.letters.acknowledge(to, [sequence]);
      }
      const key = { id: 1, key: new Uint8Array(32) };
      await store.prekeys.publish(from, new Uint8Array(9), [key], false);
    }
    const blob = blobSample(1, { owner: "ada" });
    await store.blobs.reserve(blob, { owner: AMPLE_BLOBS, total: AMPLE_BLOBS });
    await store.blobs.claim(blob.id, new Uint8Array(32));
    await store.accounts.delete("ada");
    await store.accounts.delete("bob");
    await store.close();
    using db = new DatabaseSync(path);
    const tables = db
      .prepare("select name from sqlite_schema where type = 'table'").all()
      .map((row) => row.name as string);
    const counts = tables.map((table) => [
      table,
      db.prepare(`select count(*) as n from ${table}`).get()!.n,
    ]).filter(([, rows]) => rows !== 0);
    assertEquals(counts, [["names", 2]]);
    assertEquals(tables.length, 10);
  });
});

Deno.test("sqlite store: a database from before there were blobs keeps its rows and can hold some", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/server.db`;
    const account = accountSample("ada");
    const old = new DatabaseSync(path);
    migrate(old, { ...SERVER_SCHEMA, steps: SERVER_SCHEMA.steps.slice(0, 1) });
    assertThrows(() => old.exec("select 1 from blobs"));
    old.exec("insert into names (id, address, taken) values (1, 'ada', 1)");
    old.prepare(
      `insert into accounts values
       (1, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null, ?)`,
    ).run(
      account.certificateId,
      account.certificate,
      account.authSalt,
      account.authHash,
      account.kdfSalt,
      account.kdfMemoryKiB,
      account.kdfPasses,
      account.wrappedKeys,
      account.usrPublic,
      account.usrPrivateWrapped,
      account.createdAt,
    );
    old.exec("insert into boxes (account, letters, bytes) values (1, 1, 3)");
    old.exec("insert into letters values (1, 1, 1, x'00', 9, x'010203')");
    old.close();
    const store = await SqliteServerStore.open(path);
    assertEquals(await store.accounts.byAddress("ada"), account);
    assertEquals(await store.letters.pending("ada", 0, 9), [{
      sequence: 1,
      sender: "ada",
      letterId: new Uint8Array(1),
      body: new Uint8Array([1, 2, 3]),
      storedAt: 9,
    }]);
    const room = { blobs: 1, bytes: 10 };
    const reserved = await store.blobs.reserve({
      id: new Uint8Array(32),
      writer: new Uint8Array(32),
      owner: "ada",
      header: new Uint8Array(56),
      size: 10,
      downloads: 1,
      expiresAt: 1,
    }, { owner: room, total: room });
    assertEquals(reserved, "reserved");
    await store.close();
  });
});
