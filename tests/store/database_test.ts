import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "../../lib/store/database.ts";
import type { Schema } from "../../lib/store/migrations.ts";
import { StoreError } from "../../lib/store/store_error.ts";
import type { StoreErrorCode } from "../../lib/store/store_error.ts";
import { withFolder } from "./folder.ts";

const SCHEMA: Schema = {
  holds: "a fake",
  applicationId: 77,
  steps: ["create table things (id integer primary key, body blob) strict"],
};

function refusal(path: string): StoreErrorCode {
  const error = assertThrows(() => openDatabase(path, SCHEMA), StoreError);
  assert(error.message.startsWith("Cannot open the database: "));
  assert(!error.message.endsWith("."));
  assert(error.hint.endsWith("."));
  return error.code;
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`pragma ${name}`).get()!)[0];
}

Deno.test("database: durable, with a write-ahead log and foreign keys", async () => {
  await withFolder((folder) => {
    using db = openDatabase(`${folder}/a.db`, SCHEMA);
    assertEquals(pragma(db, "journal_mode"), "wal");
    const full = 2;
    assertEquals(pragma(db, "synchronous"), full);
    assertEquals(pragma(db, "foreign_keys"), 1);
    assertEquals(pragma(db, "busy_timeout"), 5_000);
    return Promise.resolve();
  });
});

Deno.test("database: every file of it is for its owner only", async () => {
  await withFolder(async (folder) => {
    using db = openDatabase(`${folder}/a.db`, SCHEMA);
    db.exec("insert into things (body) values (x'00')");
    const modes: string[] = [];
    for await (const { name } of Deno.readDir(folder)) {
      const { mode } = await Deno.stat(`${folder}/${name}`);
      modes.push(`${name} ${(mode! & 0o777).toString(8)}`);
    }
    assertEquals(modes.sort(), ["a.db 600", "a.db-shm 600", "a.db-wal 600"]);
  });
});

Deno.test("database: the permissions that somebody gave a file stay", async () => {
  await withFolder(async (folder) => {
    openDatabase(`${folder}/a.db`, SCHEMA).close();
    await Deno.chmod(`${folder}/a.db`, 0o640);
    openDatabase(`${folder}/a.db`, SCHEMA).close();
    assertEquals((await Deno.stat(`${folder}/a.db`)).mode! & 0o777, 0o640);
  });
});

Deno.test("database: in memory there are no files", async () => {
  await withFolder(async (folder) => {
    using db = openDatabase(":memory:", SCHEMA);
    assertEquals(db.prepare("select * from things").all(), []);
    assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
  });
});

Deno.test("database: what cannot be opened is said plainly", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/text`, "not a database".repeat(100));
    await Deno.mkdir(`${folder}/sub`);
    assertEquals(refusal(`${folder}/text`), "ERR_STORE_NOT_A_DATABASE");
    assertEquals(refusal(`${folder}/no/a.db`), "ERR_STORE_UNREACHABLE");
    assertEquals(refusal(`${folder}/sub`), "ERR_STORE_UNREACHABLE");
  });
});

Deno.test("database: one from a newer version is refused", async () => {
  await withFolder((folder) => {
    const path = `${folder}/a.db`;
    const newer = { ...SCHEMA, steps: [...SCHEMA.steps, "select 1"] };
    openDatabase(path, newer).close();
    assertEquals(refusal(path), "ERR_STORE_NEWER");
    return Promise.resolve();
  });
});

Deno.test("database: one of something else is left as it is, to the byte", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/theirs.db`;
    {
      using theirs = new DatabaseSync(path);
      theirs.exec("create table theirs (a); insert into theirs values (1)");
    }
    const before = await Deno.readFile(path);
    assertEquals(refusal(path), "ERR_STORE_NOT_A_DATABASE");
    assertEquals(await Deno.readFile(path), before);
    assertEquals((await Array.fromAsync(Deno.readDir(folder))).length, 1);
  });
});

Deno.test("database: a damaged one is called damaged", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.db`;
    {
      using db = openDatabase(path, SCHEMA);
      for (let i = 0; i < 50; i++) {
        db.prepare("insert into things (body) values (zeroblob(1000))").run();
      }
    }
    const bytes = await Deno.readFile(path);
    bytes.fill(0xff, 4_096);
    await Deno.writeFile(path, bytes);
    // The schema is whole, so it opens; whoever reads further sees the damage.
    using db = openDatabase(path, SCHEMA);
    const error = assertThrows(() => db.prepare("select * from things").all());
    assertEquals((error as { errcode?: number }).errcode, 11);

    bytes.fill(0xff, 100, 4_096);
    await Deno.writeFile(`${folder}/b.db`, bytes);
    assertEquals(refusal(`${folder}/b.db`), "ERR_STORE_DAMAGED");
  });
});
