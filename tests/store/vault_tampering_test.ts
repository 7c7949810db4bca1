import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { importAead, randomBytes, utf8 } from "../../lib/protocol/mod.ts";
import { StoreError, Vault, WrongVaultKeyError } from "../../lib/store/mod.ts";
import { withFolder } from "./folder.ts";

/** Makes a vault of a few records, closed; `alter` changes the file; `check` sees it opened again. */
async function altered(
  alter: (db: DatabaseSync) => void,
  check: (open: () => Promise<Vault>) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/vault.db`;
    const key = await importAead(randomBytes(32));
    const vault = await Vault.open(path, key);
    for (const [kind, name] of [["k", "a"], ["k", "b"], ["l", "a"]] as const) {
      for (const expect of [0, 1]) {
        const body = utf8(`${kind} ${name} ${expect}`);
        await vault.commit([{ kind, key: name, expect, body }]);
      }
    }
    vault.close();
    {
      using db = new DatabaseSync(path);
      alter(db);
    }
    await check(() => Vault.open(path, key));
  });
}

async function assertDamaged(call: () => Promise<unknown>): Promise<void> {
  const error = await assertRejects(call, StoreError);
  assertEquals(error.code, "ERR_STORE_DAMAGED");
}

async function refuses(sql: string): Promise<void> {
  await altered((db) => db.exec(sql), async (open) => {
    const vault = await open();
    await assertDamaged(() => vault.get("k", "a"));
    await assertDamaged(() => vault.list("k"));
    assertEquals((await vault.get("l", "a"))?.body, utf8("l a 1"));
    vault.close();
  });
}

Deno.test("vault: a record opens in its own place only", async () => {
  const body = (kind: string, key: string) =>
    `(select body from records where kind = '${kind}' and key = '${key}')`;
  const here = "where kind = 'k' and key = 'a'";
  await refuses(`update records set body = ${body("k", "b")} ${here}`);
  await refuses(`update records set body = ${body("l", "a")} ${here}`);
  await refuses(`update records set version = 1 ${here}`);
  await refuses(`update records set version = 3 ${here}`);
  await refuses(`update records set version = -2 ${here}`);
  await refuses(
    "update records set key = 'c' where kind = 'k' and key = 'a'; " +
      "update records set key = 'a' where kind = 'k' and key = 'b'",
  );
});

Deno.test("vault: a record of another vault with the same key does not open", async () => {
  await withFolder(async (folder) => {
    const key = await importAead(randomBytes(32));
    const change = { kind: "k", key: "a", expect: 0, body: utf8("x") };
    for (const name of ["one", "two"]) {
      const vault = await Vault.open(`${folder}/${name}`, key);
      await vault.commit([change]);
      vault.close();
    }
    {
      using one = new DatabaseSync(`${folder}/one`);
      using two = new DatabaseSync(`${folder}/two`);
      const theirs = two.prepare("select body from records").get()!.body!;
      one.prepare("update records set body = ?").run(theirs);
    }
    const vault = await Vault.open(`${folder}/one`, key);
    await assertDamaged(() => vault.get("k", "a"));
    vault.close();
  });
});

Deno.test("vault: no byte of a sealed record can be changed, cut or added", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/vault.db`;
    const vault = await Vault.open(path, await importAead(randomBytes(32)));
    const change = { kind: "k", key: "a", expect: 0, body: utf8("letter") };
    await vault.commit([change]);
    using db = new DatabaseSync(path);
    const put = db.prepare("update records set body = ?");
    const sealed = db.prepare("select body from records").get()!
      .body as Uint8Array;
    assertEquals(sealed.length, 12 + change.body.length + 16);

    for (let length = 0; length < sealed.length; length++) {
      put.run(sealed.subarray(0, length));
      await assertDamaged(() => vault.get("k", "a"));
    }
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = sealed.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      put.run(changed);
      await assertDamaged(() => vault.get("k", "a"));
    }
    put.run(new Uint8Array([...sealed, 0]));
    await assertDamaged(() => vault.get("k", "a"));
    put.run(sealed);
    assertEquals((await vault.get("k", "a"))?.body, change.body);
    vault.close();
  });
});

Deno.test("vault: altered secrets are as a wrong key, and are not replaced", async () => {
  for (const length of [0, 11, 12, 28, 75]) {
    await altered(
      (db) =>
        db.prepare("update secrets set sealed = ?").run(randomBytes(length)),
      async (open) => {
        await assertRejects(open, WrongVaultKeyError);
        await assertRejects(open, WrongVaultKeyError);
      },
    );
  }
});

Deno.test("vault: with its secrets gone it does not pass for a new one", async () => {
  await altered((db) => db.exec("delete from secrets"), async (open) => {
    await assertDamaged(open);
    await assertDamaged(open);
  });
});
