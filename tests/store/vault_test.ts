import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { importAead, randomBytes, utf8 } from "../../lib/protocol/mod.ts";
import {
  SqliteServerStore,
  StoreError,
  Vault,
  WrongVaultKeyError,
} from "../../lib/store/mod.ts";
import { withFolder } from "./folder.ts";
import { withVault } from "./with_vault.ts";

async function storeErrorCode(call: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(call, StoreError)).code;
}

Deno.test("vault: a record is there with its version, also after a restart", async () => {
  await withVault(async (vault, reopen) => {
    assertEquals(await vault.get("note", "a"), undefined);
    const body = utf8("first");
    assert(await vault.commit([{ kind: "note", key: "a", expect: 0, body }]));
    assertEquals(await vault.get("note", "a"), { version: 1, body });
    const second = utf8("second");
    assert(
      await vault.commit([{ kind: "note", key: "a", expect: 1, body: second }]),
    );
    const again = await reopen();
    assertEquals(await again.get("note", "a"), { version: 2, body: second });
    assertEquals(await again.get("note", "b"), undefined);
    assertEquals(await again.get("other", "a"), undefined);
  });
});

Deno.test("vault: bodies of any size, also none", async () => {
  await withVault(async (vault) => {
    for (const size of [0, 1, 15, 16, 4_095, 65_537, 1_000_000]) {
      const body = randomBytes(size);
      const key = `${size}`;
      assert(await vault.commit([{ kind: "k", key, expect: 0, body }]));
      assertEquals((await vault.get("k", key))?.body, body);
    }
  });
});

Deno.test("vault: a change with another version than expected changes nothing", async () => {
  await withVault(async (vault) => {
    const body = utf8("x");
    const change = (key: string, expect: number) => ({
      kind: "k",
      key,
      expect,
      body,
    });
    assert(await vault.commit([change("a", 0), change("b", 0)]));
    assert(await vault.commit([change("a", 1)]));
    for (
      const [key, expect] of [["a", 0], ["a", 1], ["a", 3], ["c", 1]] as const
    ) {
      const refused = [change("b", 1), change("new", 0), change(key, expect)];
      assertEquals(await vault.commit(refused), false);
      assertEquals(await vault.commit(refused.toReversed()), false);
      assertEquals((await vault.get("k", "b"))?.version, 1);
      assertEquals(await vault.get("k", "new"), undefined);
    }
    assertEquals(await vault.commit([]), true);
  });
});

Deno.test("vault: null deletes, and absence can be asked for", async () => {
  await withVault(async (vault) => {
    const gone = { kind: "k", key: "a", body: null };
    const made = { kind: "k", key: "a", body: utf8("x") };
    assertEquals(await vault.commit([{ ...gone, expect: 0 }]), true);
    assertEquals(await vault.commit([{ ...gone, expect: 1 }]), false);
    assertEquals(await vault.commit([{ ...made, expect: 0 }]), true);
    assertEquals(await vault.commit([{ ...gone, expect: 0 }]), false);
    assertEquals(await vault.commit([{ ...gone, expect: 1 }]), true);
    assertEquals(await vault.get("k", "a"), undefined);
    assertEquals(await vault.commit([{ ...made, expect: 0 }]), true);
    assertEquals((await vault.get("k", "a"))?.version, 1);
  });
});

Deno.test("vault: nonsense is refused before anything is written", async () => {
  await withVault(async (vault) => {
    const body = utf8("x");
    for (const expect of [-1, 0.5, NaN, 2 ** 53]) {
      await assertRejects(
        () => vault.commit([{ kind: "k", key: "a", expect, body }]),
        RangeError,
      );
    }
    const change = { kind: "k", key: "a", expect: 0, body };
    await assertRejects(() => vault.commit([change, change]), RangeError);
    await assertRejects(
      () => vault.commit([{ ...change, key: "x".repeat(65_536) }]),
      RangeError,
    );
    assertEquals(await vault.list("k"), []);
    // Names that only look alike are two.
    assert(
      await vault.commit([
        { ...change, kind: "k a", key: "b" },
        { ...change, kind: "k", key: "a b" },
      ]),
    );
  });
});

Deno.test("vault: commits of one record at once succeed one after the other", async () => {
  await withVault(async (vault) => {
    const outcomes = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) =>
          vault.commit([{
            kind: "k",
            key: "a",
            expect: 0,
            body: utf8(`${i}`),
          }]),
      ),
    );
    assertEquals(outcomes.filter((made) => made).length, 1);
    const winner = outcomes.indexOf(true);
    assertEquals(await vault.get("k", "a"), {
      version: 1,
      body: utf8(`${winner}`),
    });
  });
});

Deno.test("vault: lists by prefix, from a key on, either way, in the order of UTF-8", async () => {
  await withVault(async (vault) => {
    // In UTF-16 the last two would be the other way round.
    const keys = [
      "",
      "a",
      "a/1",
      "a/10",
      "a/2",
      "a0",
      "b",
      "é",
      "\uffee",
      "😀",
    ];
    await vault.commit(
      keys.toReversed().map((key) => ({
        kind: "k",
        key,
        expect: 0,
        body: utf8(key),
      })),
    );
    await vault.commit([{ kind: "l", key: "a", expect: 0, body: utf8("") }]);
    const list = async (options?: Parameters<Vault["list"]>[1]) =>
      (await vault.list("k", options)).map((each) => each.key);
    assertEquals(await list(), keys);
    assertEquals(await list({ reverse: true }), keys.toReversed());
    assertEquals(await list({ prefix: "a/" }), ["a/1", "a/10", "a/2"]);
    assertEquals(await list({ prefix: "a/", reverse: true, limit: 2 }), [
      "a/2",
      "a/10",
    ]);
    assertEquals(await list({ prefix: "a/", after: "a/1" }), ["a/10", "a/2"]);
    assertEquals(await list({ after: "a/2", reverse: true, prefix: "a" }), [
      "a/10",
      "a/1",
      "a",
    ]);
    assertEquals(await list({ after: "b", limit: 1 }), ["é"]);
    assertEquals(await list({ limit: 0 }), []);
    assertEquals(await list({ prefix: "\uffee" }), ["\uffee"]);
    assertEquals(await list({ prefix: "zz" }), []);
    for (const { key, version, body } of await vault.list("k")) {
      assertEquals([version, body], [1, utf8(key)]);
    }
  });
});

Deno.test("vault: only its key opens it", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/vault.db`;
    const raw = randomBytes(32);
    const key = await importAead(raw);
    const vault = await Vault.open(path, key);
    await vault.commit([{ kind: "k", key: "a", expect: 0, body: utf8("x") }]);
    vault.close();
    const other = raw.slice();
    other[31]! ^= 1;
    const error = await assertRejects(
      async () => Vault.open(path, await importAead(other)),
      WrongVaultKeyError,
    );
    assertEquals(error.code, "ERR_WRONG_VAULT_KEY");
    const again = await Vault.open(path, await importAead(raw));
    assertEquals((await again.get("k", "a"))?.body, utf8("x"));
    again.close();
  });
});

Deno.test("vault: neither bodies nor blinded names are in the file", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/vault.db`;
    const vault = await Vault.open(path, await importAead(randomBytes(32)));
    const secret = "a very private name";
    const key = await vault.blind(secret);
    await vault.commit([{ kind: "k", key, expect: 0, body: utf8(secret) }]);
    for await (const { name } of Deno.readDir(folder)) {
      const text = new TextDecoder("latin1")
        .decode(await Deno.readFile(`${folder}/${name}`));
      assert(!text.includes(secret), name);
      if (name.endsWith("-wal")) assert(text.includes(key));
    }
    vault.close();
  });
});

Deno.test("vault: a blinded name stays the same, and differs in every vault", async () => {
  await withVault(async (vault, reopen) => {
    const name = await vault.blind("bob");
    assertMatch(name, /^[0-9a-f]{64}$/);
    assertNotEquals(await vault.blind("bob "), name);
    assertNotEquals(await vault.blind(""), name);
    assertEquals(await vault.blind("bob"), name);
    assertEquals(await (await reopen()).blind("bob"), name);
    await withVault(async (other) => {
      assertNotEquals(await other.blind("bob"), name);
    });
  });
});

Deno.test("vault: the data version tells of others' changes, not of one's own", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/vault.db`;
    const key = await importAead(randomBytes(32));
    const mine = await Vault.open(path, key);
    const theirs = await Vault.open(path, key);
    const seen = mine.dataVersion();
    const change = { kind: "k", key: "a", body: utf8("x") };
    await mine.commit([{ ...change, expect: 0 }]);
    assertEquals(mine.dataVersion(), seen);
    await theirs.commit([{ ...change, expect: 1 }]);
    const later = mine.dataVersion();
    assertNotEquals(later, seen);
    assertEquals(mine.dataVersion(), later);
    assertEquals(await theirs.commit([{ ...change, expect: 0 }]), false);
    assertEquals(mine.dataVersion(), later);
    assertEquals((await mine.get("k", "a"))?.version, 2);
    mine.close();
    theirs.close();
  });
});

Deno.test("vault: a commit that was asked for before closing either is made or refused", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/vault.db`;
    const key = await importAead(randomBytes(32));
    const vault = await Vault.open(path, key);
    const change = { kind: "k", key: "a", expect: 0, body: utf8("x") };
    const outcome = vault.commit([change]).catch((error) => error.code);
    vault.close();
    vault.close();
    const isMade = await outcome;
    assert(isMade === true || isMade === "ERR_STORE_CLOSED");
    for (
      const call of [
        () => vault.get("k", "a"),
        () => vault.list("k"),
        () => vault.commit([change]),
      ]
    ) assertEquals(await storeErrorCode(call), "ERR_STORE_CLOSED");
    const again = await Vault.open(path, key);
    assertEquals((await again.get("k", "a")) !== undefined, isMade === true);
    again.close();
  });
});

Deno.test("vault: a copy is whole, private, and apart from then on", async () => {
  await withFolder(async (folder) => {
    const key = await importAead(randomBytes(32));
    const vault = await Vault.open(`${folder}/vault.db`, key);
    const change = { kind: "k", key: "a" };
    await vault.commit([{ ...change, expect: 0, body: utf8("x") }]);
    await Deno.writeTextFile(`${folder}/empty`, "");
    for (const name of ["copy.db", "empty"]) {
      vault.copyTo(`${folder}/${name}`);
    }
    const name = await vault.blind("bob");
    await vault.commit([{ ...change, expect: 1, body: utf8("y") }]);
    assertEquals((await Deno.stat(`${folder}/copy.db`)).mode! & 0o777, 0o600);
    for (const name of ["copy.db", "vault.db", "no/copy.db"]) {
      assertThrows(() => vault.copyTo(`${folder}/${name}`), StoreError);
    }
    const copy = await Vault.open(`${folder}/copy.db`, key);
    assertEquals(await copy.get("k", "a"), { version: 1, body: utf8("x") });
    assertEquals(await copy.blind("bob"), name);
    assertEquals((await vault.get("k", "a"))?.version, 2);
    copy.close();
    vault.close();
  });
});

Deno.test("vault: closing writes what is queued", async () => {
  await withVault(async (vault, reopen) => {
    const change = { kind: "k", key: "a" };
    await vault.commit([{ ...change, expect: 0, body: utf8("x") }]);
    const deleted = vault.commit([{ ...change, expect: 1, body: null }]);
    // Nothing is to be sealed, so it is in the queue before the event loop turns.
    for (let i = 0; i < 20; i++) await Promise.resolve();
    const again = await reopen();
    assertEquals(await deleted, true);
    assertEquals(await again.get("k", "a"), undefined);
  });
});

Deno.test("vault: a file that is no vault is refused", async () => {
  await withFolder(async (folder) => {
    const key = await importAead(randomBytes(32));
    await (await SqliteServerStore.open(`${folder}/server.db`)).close();
    await Deno.writeTextFile(`${folder}/text`, "hello ".repeat(500));
    for (const name of ["server.db", "text"]) {
      assertEquals(
        await storeErrorCode(() => Vault.open(`${folder}/${name}`, key)),
        "ERR_STORE_NOT_A_DATABASE",
      );
    }
    assertEquals(
      await storeErrorCode(() => Vault.open(`${folder}/no/vault.db`, key)),
      "ERR_STORE_UNREACHABLE",
    );
    (await Vault.open(`${folder}/vault.db`, key)).close();
    assertEquals(
      await storeErrorCode(() => SqliteServerStore.open(`${folder}/vault.db`)),
      "ERR_STORE_NOT_A_DATABASE",
    );
  });
});
