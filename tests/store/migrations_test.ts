import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { sha256, utf8 } from "../../lib/protocol/mod.ts";
import { migrate } from "../../lib/store/migrations.ts";
import type { Schema } from "../../lib/store/migrations.ts";
import { SERVER_SCHEMA } from "../../lib/store/sqlite/schema.ts";
import { StoreError } from "../../lib/store/store_error.ts";
import { VAULT_SCHEMA } from "../../lib/store/vault_schema.ts";

const STEPS: readonly string[] = [
  "create table people (name text) strict; insert into people values ('ada');",
  "alter table people add column born integer; update people set born = 1815;",
  "create table ages (name text, years integer) strict; insert into ages select name, 2000 - born from people;",
];

function fake(steps: number): Schema {
  return {
    holds: "a fake",
    applicationId: 77,
    steps: STEPS.slice(0, steps),
  };
}

function identity(db: DatabaseSync): unknown[] {
  return ["application_id", "user_version"].map((name) =>
    db.prepare(`pragma ${name}`).get()![name]
  );
}

function dump(db: DatabaseSync): unknown[] {
  return db.prepare("select sql from sqlite_schema order by name").all()
    .map((row) => row.sql);
}

Deno.test("migrations: from every older version to the newest, with its content", () => {
  for (let older = 0; older <= STEPS.length; older++) {
    using db = new DatabaseSync(":memory:");
    migrate(db, fake(older));
    migrate(db, fake(STEPS.length));
    assertEquals(identity(db), [77, 3]);
    assertEquals({ ...db.prepare("select * from ages").get() }, {
      name: "ada",
      years: 185,
    });
  }
});

Deno.test("migrations: a current database is not written", () => {
  using db = new DatabaseSync(":memory:");
  migrate(db, fake(3));
  const before = db.prepare("select total_changes() as n").get()!.n;
  migrate(db, fake(3));
  assertEquals(db.prepare("select total_changes() as n").get()!.n, before);
});

Deno.test("migrations: a step that fails leaves the version that was", () => {
  using db = new DatabaseSync(":memory:");
  migrate(db, fake(1));
  const before = dump(db);
  const broken: Schema = {
    ...fake(2),
    steps: [...STEPS.slice(0, 2), "create table half (a); select nonsense;"],
  };
  assertThrows(() => migrate(db, broken));
  assertEquals(identity(db), [77, 1]);
  assertEquals(dump(db), before);
  assertEquals(db.isTransaction, false);
  migrate(db, fake(3));
  assertEquals(identity(db), [77, 3]);
});

Deno.test("migrations: a newer database is refused, and stays as it is", () => {
  using db = new DatabaseSync(":memory:");
  migrate(db, fake(3));
  const before = dump(db);
  const error = assertThrows(() => migrate(db, fake(2)), StoreError);
  assertEquals(error.code, "ERR_STORE_NEWER");
  assertMatch(error.message, /version is 3, this program knows up to 2/);
  assertEquals([identity(db), dump(db)], [[77, 3], before]);
});

Deno.test("migrations: a database of something else is refused, and stays as it is", () => {
  const others = [
    "pragma application_id = 5",
    "create table theirs (a)",
    "pragma user_version = 1",
    "pragma application_id = 77; create table ours (a); pragma application_id = 0",
  ];
  for (const sql of others) {
    using db = new DatabaseSync(":memory:");
    db.exec(sql);
    const before = [identity(db), dump(db)];
    const error = assertThrows(() => migrate(db, fake(3)), StoreError);
    assertEquals(error.code, "ERR_STORE_NOT_A_DATABASE");
    assertEquals([identity(db), dump(db)], before);
  }
});

// A step that is on people's disks is never changed, only followed by another. Whoever changes one
// before its release sets the new hash here.
const RELEASED: readonly [Schema, readonly string[]][] = [
  [SERVER_SCHEMA, ["9fbf9cd724e0b69f", "aebd236acaaa00d0"]],
  [VAULT_SCHEMA, ["d36565c2eb41b497"]],
];

Deno.test("migrations: the steps of the schemas are what they were", async () => {
  for (const [schema, hashes] of RELEASED) {
    const seen = await Promise.all(schema.steps.map(async (step) => {
      const hash = await sha256(utf8(step.replaceAll(/\s+/g, " ")));
      return hash.toHex().slice(0, 16);
    }));
    assertEquals(seen, [...hashes]);
  }
});

Deno.test("migrations: no schema passes for another", () => {
  const ids = RELEASED.map(([schema]) => schema.applicationId);
  assertEquals(new Set(ids).size, ids.length);
  for (const id of ids) assertEquals(id > 0 && id < 2 ** 31, true);
});
