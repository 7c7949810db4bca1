import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SqliteServerStore } from "../../lib/store/mod.ts";
import type { StoreHarness } from "./cases/harness.ts";
import { AMPLE, letterSample, register } from "./cases/samples.ts";
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
    assertEquals(tables.length, 8);
  });
});
